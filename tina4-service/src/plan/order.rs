//! The order in which services start, and the cycles that prevent one. Pure: a graph of indices.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What each service comes after, for those that come after something.
pub(crate) type Dependencies = Vec<(u32, Vec<u32>)>;

/// Sorts services so that each follows its dependencies, and otherwise by name (Kahn's algorithm).
///
/// `by_name` lists all indices in the order of the names. Returns the order, without the services
/// that are in a cycle or depend on one, and the cycles.
pub(super) fn start_order(
    by_name: &[u32],
    dependencies: &[(u32, Vec<u32>)],
) -> (Vec<u32>, Vec<Vec<u32>>) {
    if dependencies.is_empty() {
        return (by_name.to_vec(), Vec::new());
    }
    let count = by_name.len();
    let mut after = vec![&[][..]; count];
    let mut dependents = vec![Vec::new(); count];
    for (index, prerequisites) in dependencies {
        after[*index as usize] = prerequisites;
        for prerequisite in prerequisites {
            dependents[*prerequisite as usize].push(*index);
        }
    }
    let mut rank = vec![0_u32; count];
    for (index, place) in by_name.iter().zip(0_u32..) {
        rank[*index as usize] = place;
    }
    let mut missing: Vec<usize> = after.iter().map(|prerequisites| prerequisites.len()).collect();
    // A heap of ranks: the first name comes first.
    let mut ready: BinaryHeap<Reverse<u32>> =
        (0..count).filter(|index| missing[*index] == 0).map(|index| Reverse(rank[index])).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(place)) = ready.pop() {
        let index = by_name[place as usize];
        order.push(index);
        for dependent in &dependents[index as usize] {
            missing[*dependent as usize] -= 1;
            if missing[*dependent as usize] == 0 {
                ready.push(Reverse(rank[*dependent as usize]));
            }
        }
    }
    let is_unsorted = |index: &u32| missing[*index as usize] > 0;
    let cycles = cycles(&after, &dependents, is_unsorted);
    (order, cycles)
}

/// Groups of services that wait for each other: the strongly connected components of the unsorted
/// part (Kosaraju's algorithm, without recursion because a chain can be long).
fn cycles(
    after: &[&[u32]],
    dependents: &[Vec<u32>],
    is_unsorted: impl Fn(&u32) -> bool,
) -> Vec<Vec<u32>> {
    let mut finished = Vec::new();
    let mut seen = vec![false; after.len()];
    for start in (0_u32..).take(after.len()).filter(|index| is_unsorted(index)) {
        // Each with the position of the next dependency to follow.
        let mut path = vec![(start, 0)];
        while let Some((index, position)) = path.pop() {
            if position == 0 && std::mem::replace(&mut seen[index as usize], true) {
                continue;
            }
            match after[index as usize].get(position) {
                Some(next) => {
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
        let waits_for_itself = after[root as usize].contains(&root);
        if group.len() > 1 || (group.len() == 1 && waits_for_itself) {
            groups.push(group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Services 0, 1, 2, .. have names in this order; each is listed with its dependencies.
    #[track_caller]
    fn check(after: &[&[u32]], order: &[u32], cycles: &[&[u32]]) {
        let by_name: Vec<u32> = (0_u32..).take(after.len()).collect();
        let listed =
            by_name.iter().zip(after).filter(|(_, prerequisites)| !prerequisites.is_empty());
        let dependencies: Dependencies =
            listed.map(|(at, prerequisites)| (*at, prerequisites.to_vec())).collect();
        let (sorted, mut found) = start_order(&by_name, &dependencies);
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
        let slices = |after: &[Vec<u32>]| {
            let by_name: Vec<u32> = (0..count).collect();
            let listed = (0_u32..).zip(after.iter().cloned());
            let listed: Dependencies =
                listed.filter(|(_, prerequisites)| !prerequisites.is_empty()).collect();
            start_order(&by_name, &listed)
        };
        let (order, cycles) = slices(&chain(Vec::new()));
        assert!(order.is_sorted() && order.len() == count as usize && cycles.is_empty());
        let (order, cycles) = slices(&chain(vec![count - 1]));
        assert!(order.is_empty() && cycles.len() == 1 && cycles[0].len() == count as usize);
    }
}
