//! The order in which services start, and the cycles that prevent one. This module is pure: it works on
//! a graph of indices.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

/// One dependency of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The index of the service that it depends on.
    pub(crate) index: u32,
    /// Whether it requires that service, or only comes after it.
    pub(crate) is_required: bool,
    /// The position of the dependent among the dependents of that service.
    pub(crate) position: u32,
}

/// The services and their dependencies, by index.
#[derive(Clone, Copy)]
pub(crate) struct Graph<'a> {
    /// A number above all indices.
    pub(crate) limit: usize,
    /// The services that a service depends on.
    pub(crate) dependencies: &'a dyn Fn(u32) -> &'a [Link],
    /// The services that depend on a service.
    pub(crate) dependents: &'a dyn Fn(u32) -> &'a [u32],
}

/// Sorts services so that each follows its dependencies, and otherwise by name (Kahn's algorithm).
///
/// `by_name` lists all indices in the order of the names. Returns the order, without the services
/// that are in a cycle or depend on one, and the cycles.
pub(super) fn start_order(graph: Graph<'_>, by_name: &[u32]) -> (Vec<u32>, Vec<Vec<u32>>) {
    if by_name.iter().all(|index| (graph.dependencies)(*index).is_empty()) {
        return (by_name.to_vec(), Vec::new());
    }
    let mut rank = vec![0_u32; graph.limit];
    for (index, position) in by_name.iter().zip(0_u32..) {
        rank[*index as usize] = position;
    }
    let mut unplaced_dependencies = vec![0; graph.limit];
    for index in by_name {
        unplaced_dependencies[*index as usize] = (graph.dependencies)(*index).len();
    }
    // The lowest rank comes first, so that services without a prescribed order are sorted by name.
    let mut ready: BinaryHeap<Reverse<u32>> = by_name
        .iter()
        .filter(|index| unplaced_dependencies[**index as usize] == 0)
        .map(|index| Reverse(rank[*index as usize]))
        .collect();
    let mut order = Vec::with_capacity(by_name.len());
    while let Some(Reverse(position)) = ready.pop() {
        let index = by_name[position as usize];
        order.push(index);
        for dependent in (graph.dependents)(index) {
            unplaced_dependencies[*dependent as usize] -= 1;
            if unplaced_dependencies[*dependent as usize] == 0 {
                ready.push(Reverse(rank[*dependent as usize]));
            }
        }
    }
    let is_unsorted = |index: &u32| unplaced_dependencies[*index as usize] > 0;
    let cycles = cycles(graph, by_name, is_unsorted);
    (order, cycles)
}

/// Groups of services that wait for each other: the strongly connected components of the unsorted
/// part (Kosaraju's algorithm, without recursion because a chain can be long).
fn cycles(graph: Graph<'_>, indices: &[u32], is_unsorted: impl Fn(&u32) -> bool) -> Vec<Vec<u32>> {
    let mut finished = Vec::new();
    let mut seen = vec![false; graph.limit];
    for start in indices.iter().copied().filter(|index| is_unsorted(index)) {
        // Each service with the position of the next dependency to follow.
        let mut path = vec![(start, 0)];
        while let Some((index, position)) = path.pop() {
            if position == 0 && std::mem::replace(&mut seen[index as usize], true) {
                continue;
            }
            match (graph.dependencies)(index).get(position) {
                Some(Link { index: next, .. }) => {
                    path.push((index, position + 1));
                    if is_unsorted(next) && !seen[*next as usize] {
                        path.push((*next, 0));
                    }
                }
                None => finished.push(index),
            }
        }
    }
    let mut groups = Vec::new();
    while let Some(root) = finished.pop() {
        let (mut group, mut open) = (Vec::new(), vec![root]);
        while let Some(index) = open.pop() {
            if std::mem::replace(&mut seen[index as usize], false) {
                group.push(index);
                open.extend((graph.dependents)(index).iter().filter(|next| is_unsorted(next)));
            }
        }
        let waits_for_itself = (graph.dependencies)(root).iter().any(|link| link.index == root);
        if group.len() > 1 || (group.len() == 1 && waits_for_itself) {
            groups.push(group);
        }
    }
    groups
}

/// The services that wait for each other and for this one, this one included; `None` if it does not
/// depend on itself. Visits only services that it depends on.
pub(crate) fn cycle_of(graph: Graph<'_>, index: u32) -> Option<Vec<u32>> {
    let below = depends_on(graph, index);
    if !below.contains(&index) {
        return None;
    }
    // Those of them that also depend on it.
    let (mut members, mut open) = (HashSet::from([index]), vec![index]);
    while let Some(next) = open.pop() {
        let above = (graph.dependents)(next).iter().copied();
        open.extend(above.filter(|above| below.contains(above) && members.insert(*above)));
    }
    Some(members.into_iter().collect())
}

/// All services that this one depends on, directly or through others. Contains the service itself only
/// if it is in a cycle.
fn depends_on(graph: Graph<'_>, index: u32) -> HashSet<u32> {
    let (mut seen, mut open) = (HashSet::new(), vec![index]);
    while let Some(next) = open.pop() {
        let links = (graph.dependencies)(next).iter().map(|link| link.index);
        open.extend(links.filter(|link| seen.insert(*link)));
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both kinds of dependencies count alike, so use both.
    fn links(indices: &[u32]) -> Vec<Link> {
        let link =
            |index: &u32| Link { index: *index, is_required: index.is_multiple_of(2), position: 0 };
        indices.iter().map(link).collect()
    }

    /// A graph in which service `n` has the dependencies `all[n]`.
    struct Example {
        dependencies: Vec<Vec<Link>>,
        dependents: Vec<Vec<u32>>,
    }

    impl Example {
        fn new(all: &[&[u32]]) -> Self {
            let mut dependents = vec![Vec::new(); all.len()];
            for (index, own) in (0_u32..).zip(all) {
                own.iter().for_each(|dependency| dependents[*dependency as usize].push(index));
            }
            Self { dependencies: all.iter().map(|own| links(own)).collect(), dependents }
        }

        fn with<T>(&self, test: impl FnOnce(Graph<'_>) -> T) -> T {
            test(Graph {
                limit: self.dependencies.len(),
                dependencies: &|index| &self.dependencies[index as usize],
                dependents: &|index| &self.dependents[index as usize],
            })
        }

        /// The start order, if the names are in the order of the indices.
        fn start_order(&self) -> (Vec<u32>, Vec<Vec<u32>>) {
            let by_name: Vec<u32> = (0_u32..).take(self.dependencies.len()).collect();
            self.with(|graph| start_order(graph, &by_name))
        }
    }

    #[track_caller]
    fn check(dependencies: &[&[u32]], order: &[u32], cycles: &[&[u32]]) {
        let example = Example::new(dependencies);
        let (sorted, mut found) = example.start_order();
        found.iter_mut().for_each(|group| group.sort_unstable());
        found.sort_unstable();
        assert_eq!(sorted, order);
        assert_eq!(found, cycles);
        // The cycle of each service is the one that contains it.
        for index in (0_u32..).take(dependencies.len()) {
            let mut own = example.with(|graph| cycle_of(graph, index));
            own.iter_mut().for_each(|group| group.sort_unstable());
            assert_eq!(own.as_ref(), found.iter().find(|group| group.contains(&index)));
        }
    }

    #[test]
    fn dependencies_come_first_and_names_decide_the_rest() {
        check(&[], &[], &[]);
        check(&[&[], &[], &[]], &[0, 1, 2], &[]);
        check(&[&[2], &[], &[1]], &[1, 2, 0], &[]);
        check(&[&[3], &[3], &[], &[]], &[2, 3, 0, 1], &[]);
        // A diamond.
        check(&[&[1, 2], &[3], &[3], &[]], &[3, 1, 2, 0], &[]);
    }

    #[test]
    fn a_cycle_is_found_without_the_services_around_it() {
        check(&[&[0]], &[], &[&[0]]);
        check(&[&[1], &[0]], &[], &[&[0, 1]]);
        // 4 only depends on the cycle, the cycle depends on 0.
        check(&[&[], &[0, 3], &[1], &[2], &[3]], &[0], &[&[1, 2, 3]]);
        // Two cycles; the second one depends on the first one.
        check(&[&[1], &[0], &[3, 0], &[2]], &[], &[&[0, 1], &[2, 3]]);
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let count = 100_000_u32;
        let example = |last: &[u32]| {
            let previous: Vec<_> = (0..count - 1).map(|index| [index]).collect();
            let chain = previous.iter().map(|link| &link[..]);
            Example::new(&std::iter::once(last).chain(chain).collect::<Vec<_>>())
        };
        let (order, cycles) = example(&[]).start_order();
        assert!(order.is_sorted() && order.len() == count as usize && cycles.is_empty());
        let circle = example(&[count - 1]);
        let (order, cycles) = circle.start_order();
        assert!(order.is_empty() && cycles.len() == 1 && cycles[0].len() == count as usize);
        assert_eq!(circle.with(|graph| cycle_of(graph, 0)).map(|cycle| cycle.len()), Some(100_000));
    }
}
