//! The order in which services start, and the cycles that prevent one. This module is pure: it works on
//! a graph of indices.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One dependency of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The index of the service that it depends on.
    pub(crate) index: u32,
    /// Whether it requires that service, or only comes after it.
    pub(crate) is_required: bool,
}

/// The services that have dependencies: the index of each, and its dependencies.
pub(crate) type LinksByService = Vec<(u32, Vec<Link>)>;

/// Sorts services so that each follows its dependencies, and otherwise by name (Kahn's algorithm).
///
/// `by_name` lists all indices in the order of the names. Returns the order, without the services
/// that are in a cycle or depend on one, and the cycles.
pub(super) fn start_order(
    by_name: &[u32],
    with_dependencies: &[(u32, Vec<Link>)],
) -> (Vec<u32>, Vec<Vec<u32>>) {
    if with_dependencies.is_empty() {
        return (by_name.to_vec(), Vec::new());
    }
    let count = by_name.len();
    let mut dependencies = vec![&[][..]; count];
    let mut dependents = vec![Vec::new(); count];
    for (index, own) in with_dependencies {
        dependencies[*index as usize] = own;
        for dependency in own {
            dependents[dependency.index as usize].push(*index);
        }
    }
    let mut rank = vec![0_u32; count];
    for (index, position) in by_name.iter().zip(0_u32..) {
        rank[*index as usize] = position;
    }
    let mut unplaced_dependencies: Vec<usize> = dependencies.iter().map(|own| own.len()).collect();
    // The lowest rank comes first, so that services without a prescribed order are sorted by name.
    let mut ready: BinaryHeap<Reverse<u32>> = (0..count)
        .filter(|index| unplaced_dependencies[*index] == 0)
        .map(|index| Reverse(rank[index]))
        .collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(position)) = ready.pop() {
        let index = by_name[position as usize];
        order.push(index);
        for dependent in &dependents[index as usize] {
            unplaced_dependencies[*dependent as usize] -= 1;
            if unplaced_dependencies[*dependent as usize] == 0 {
                ready.push(Reverse(rank[*dependent as usize]));
            }
        }
    }
    let is_unsorted = |index: &u32| unplaced_dependencies[*index as usize] > 0;
    let cycles = cycles(&dependencies, &dependents, is_unsorted);
    (order, cycles)
}

/// Groups of services that wait for each other: the strongly connected components of the unsorted
/// part (Kosaraju's algorithm, without recursion because a chain can be long).
fn cycles(
    dependencies: &[&[Link]],
    dependents: &[Vec<u32>],
    is_unsorted: impl Fn(&u32) -> bool,
) -> Vec<Vec<u32>> {
    let mut finished = Vec::new();
    let mut seen = vec![false; dependencies.len()];
    for start in (0_u32..).take(dependencies.len()).filter(|index| is_unsorted(index)) {
        // Each service with the position of the next dependency to follow.
        let mut path = vec![(start, 0)];
        while let Some((index, position)) = path.pop() {
            if position == 0 && std::mem::replace(&mut seen[index as usize], true) {
                continue;
            }
            match dependencies[index as usize].get(position) {
                Some(Link { index: next, is_required: _ }) => {
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
                open.extend(dependents[index as usize].iter().filter(|next| is_unsorted(next)));
            }
        }
        let waits_for_itself = dependencies[root as usize].iter().any(|link| link.index == root);
        if group.len() > 1 || (group.len() == 1 && waits_for_itself) {
            groups.push(group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both kinds of dependencies count alike, so use both.
    fn links(indices: &[u32]) -> Vec<Link> {
        indices.iter().map(|index| Link { index: *index, is_required: index % 2 == 0 }).collect()
    }

    /// Services 0, 1, 2, .. have names in this order; each is listed with its dependencies.
    #[track_caller]
    fn check(dependencies: &[&[u32]], order: &[u32], cycles: &[&[u32]]) {
        let by_name: Vec<u32> = (0_u32..).take(dependencies.len()).collect();
        let with_dependencies = by_name.iter().zip(dependencies).filter(|(_, own)| !own.is_empty());
        let with_dependencies: LinksByService =
            with_dependencies.map(|(index, own)| (*index, links(own))).collect();
        let (sorted, mut found) = start_order(&by_name, &with_dependencies);
        found.iter_mut().for_each(|group| group.sort_unstable());
        found.sort_unstable();
        assert_eq!(sorted, order);
        assert_eq!(found, cycles);
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
        let count = 100_000;
        let chain = |last| {
            let links = (1..count).map(|index| vec![index - 1]);
            std::iter::once(last).chain(links).collect::<Vec<_>>()
        };
        let order_of = |dependencies: &[Vec<u32>]| {
            let by_name: Vec<u32> = (0..count).collect();
            let with_dependencies = (0_u32..).zip(dependencies.iter().map(|own| links(own)));
            let with_dependencies: LinksByService =
                with_dependencies.filter(|(_, own)| !own.is_empty()).collect();
            start_order(&by_name, &with_dependencies)
        };
        let (order, cycles) = order_of(&chain(Vec::new()));
        assert!(order.is_sorted() && order.len() == count as usize && cycles.is_empty());
        let (order, cycles) = order_of(&chain(vec![count - 1]));
        assert!(order.is_empty() && cycles.len() == 1 && cycles[0].len() == count as usize);
    }
}
