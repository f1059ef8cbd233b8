//! The values passed to `provide`, and the handle through which services share them.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use crate::sys::place::Place;

/// A value passed to [`provide`](crate::provide) and shared by all services that ask for it.
///
/// A service cannot be started while such a value is missing; with `Option<Res<T>>` it can. Unlike
/// [`Local`](crate::Local), it is shared, and read-only unless `T` contains a lock or atomics.
///
/// A value that the program keeps in an `Arc` serves as well: after `provide(Arc::new(db))` a service may
/// ask for `Res<Db>`, without a second `Arc` in between, and also for `Res<Arc<Db>>`. With an
/// `Arc<dyn Store>` it may ask for `Res<dyn Store>`. If both a `Db` and an `Arc<Db>` were provided,
/// `Res<Db>` could mean either, which is a [`Fault`](crate::Fault).
///
/// ```
/// use tina4_service::Res;
///
/// struct Greeting(&'static str);
///
/// // A service's function stays an ordinary function.
/// fn greet(greeting: Res<Greeting>) -> usize {
///     greeting.0.len()
/// }
/// assert_eq!(greet(Res::new(Greeting("hello"))), 5);
/// ```
///
/// A trait object:
///
/// ```
/// use std::sync::Arc;
/// use tina4_service::{Res, Runner, Service};
///
/// trait Store: Send + Sync {
///     fn save(&self, text: &str);
/// }
///
/// struct Disk;
///
/// impl Store for Disk {
///     fn save(&self, text: &str) {
///         println!("{text}");
///     }
/// }
///
/// fn backup(store: Res<dyn Store>) {
///     store.save("everything");
/// }
///
/// let runner = Runner::new();
/// let store: Arc<dyn Store> = Arc::new(Disk);
/// runner.provide(Arc::clone(&store));
/// runner.register(Service::of("backup", backup)).unwrap();
/// runner.start_all()?;
/// runner.wait();
/// # assert_eq!(runner.services()[0].crashes, 0);
/// # Ok::<(), tina4_service::StartError>(())
/// ```
pub struct Res<T: ?Sized>(Arc<T>);

impl<T> Res<T> {
    /// Wraps a value, to call a service's function directly, as in a test.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: ?Sized> Clone for Res<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for Res<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> From<Arc<T>> for Res<T> {
    fn from(value: Arc<T>) -> Self {
        Self(value)
    }
}

impl<T: ?Sized> From<Res<T>> for Arc<T> {
    fn from(value: Res<T>) -> Self {
        value.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Res<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Res").field(&&*self.0).finish()
    }
}

/// The values passed to `provide`, by type.
#[derive(Debug, Default)]
pub(crate) struct Resources(RwLock<HashMap<TypeId, Resource>>);

#[derive(Debug)]
struct Resource {
    /// An `Arc<T>` of the value. Boxed, because `get` can downcast to `Arc<T>` for every `T`, but to `T`
    /// only if it has a size.
    value: Box<dyn Any + Send + Sync>,
    name: &'static str,
    /// The places of the calls to `provide`; more than one is a fault.
    places: Vec<Place>,
}

/// A type for which more than one value was provided.
#[derive(Debug)]
pub(crate) struct DuplicateResource {
    pub(crate) name: &'static str,
    pub(crate) places: Vec<Place>,
}

/// The values that serve as one `Res<T>`.
#[derive(Debug)]
pub(crate) enum Provided {
    Nothing,
    One,
    /// Both a `T` and an `Arc<T>`, provided at these places.
    Both {
        value: Place,
        arc: Place,
    },
}

impl Resources {
    /// Keeps `value` for the services. A second value of the same type is dropped and recorded as a
    /// fault.
    pub(crate) fn provide<T: Send + Sync + 'static>(&self, value: T, place: Place) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let surplus = match map.entry(TypeId::of::<T>()) {
            Entry::Occupied(mut entry) => {
                entry.get_mut().places.push(place);
                Some(value)
            }
            Entry::Vacant(entry) => {
                let name = std::any::type_name::<T>();
                let value = Box::new(Arc::new(value));
                entry.insert(Resource { value, name, places: vec![place] });
                None
            }
        };
        drop(map);
        // `T::drop` is user code, so the lock is released first.
        drop(surplus);
    }

    /// The value of type `T`, or the one in the value of type `Arc<T>`.
    pub(crate) fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Res<T>> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let value: &Arc<T> = if let Some(resource) = map.get(&TypeId::of::<T>()) {
            resource.value.downcast_ref()?
        } else {
            let arc = &map.get(&TypeId::of::<Arc<T>>())?.value;
            arc.downcast_ref::<Arc<Arc<T>>>()?
        };
        Some(Res(Arc::clone(value)))
    }

    /// The number of values that were provided, surplus ones included.
    pub(crate) fn count(&self) -> u64 {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.values().map(|resource| resource.places.len() as u64).sum()
    }

    /// Which values serve as `Res<T>`, where `id` is the type `T` and `arc_id` is `Arc<T>`.
    pub(crate) fn find(&self, id: TypeId, arc_id: TypeId) -> Provided {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let place = |id| map.get(&id).and_then(|resource| resource.places.first().copied());
        match (place(id), place(arc_id)) {
            (None, None) => Provided::Nothing,
            (Some(_), None) | (None, Some(_)) => Provided::One,
            (Some(value), Some(arc)) => Provided::Both { value, arc },
        }
    }

    /// The names of the types that were provided.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        map.values().map(|resource| resource.name).collect()
    }

    pub(crate) fn duplicates(&self) -> Vec<DuplicateResource> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut duplicates: Vec<_> = map
            .values()
            .filter(|resource| resource.places.len() > 1)
            .map(|resource| DuplicateResource {
                name: resource.name,
                places: resource.places.clone(),
            })
            .collect();
        duplicates.sort_by_key(|duplicate| duplicate.name);
        duplicates
    }
}
