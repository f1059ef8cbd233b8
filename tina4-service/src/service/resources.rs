//! The values given with `provide`.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, PoisonError, RwLock};

use crate::service::params::Res;
use crate::service::registration::Place;

/// The values given with `provide`, by type.
#[derive(Debug, Default)]
pub(crate) struct Resources(RwLock<HashMap<TypeId, Resource>>);

#[derive(Debug)]
struct Resource {
    value: Arc<dyn Any + Send + Sync>,
    name: &'static str,
    /// Where it was given; more than one is a fault.
    places: Vec<Place>,
}

/// A type for which a value was given more than once.
#[derive(Debug)]
pub(crate) struct ProvidedTwice {
    pub(crate) name: &'static str,
    pub(crate) places: Vec<Place>,
}

impl Resources {
    /// Keeps `value` for the services; a second value of the type is noted as a fault.
    pub(crate) fn provide<T: Send + Sync + 'static>(&self, value: T, place: Place) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let surplus = match map.entry(TypeId::of::<T>()) {
            Entry::Occupied(mut entry) => {
                entry.get_mut().places.push(place);
                Some(value)
            }
            Entry::Vacant(entry) => {
                let name = std::any::type_name::<T>();
                entry.insert(Resource { value: Arc::new(value), name, places: vec![place] });
                None
            }
        };
        drop(map);
        // Its `drop` is user code, so the lock is released first.
        drop(surplus);
    }

    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> Option<Res<T>> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let value = Arc::clone(&map.get(&TypeId::of::<T>())?.value);
        value.downcast().ok().map(Res::from)
    }

    /// How many values were given, surplus ones included.
    pub(crate) fn count(&self) -> u64 {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.values().map(|resource| resource.places.len() as u64).sum()
    }

    pub(crate) fn has(&self, id: TypeId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&id)
    }

    pub(crate) fn provided_twice(&self) -> Vec<ProvidedTwice> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut twice: Vec<_> = map
            .values()
            .filter(|resource| resource.places.len() > 1)
            .map(|resource| ProvidedTwice { name: resource.name, places: resource.places.clone() })
            .collect();
        twice.sort_by_key(|given| given.name);
        twice
    }
}
