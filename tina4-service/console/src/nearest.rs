//! Suggestions for unknown names of tags and queues. The core suggests those of services.

/// The known name that differs least from this one, if one differs by few letters: one in four, but at least one.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let distances = known.iter().map(|known| {
        let letters: Vec<char> = known.to_lowercase().chars().collect();
        (distance(&name, &letters), *known)
    });
    let (distance, nearest) = distances.min_by_key(|(distance, _)| *distance)?;
    let is_near = distance <= (name.len() / 4).max(1) && distance < name.len();
    is_near.then_some(nearest)
}

/// How many letters have to be inserted, deleted, replaced or swapped with their neighbour: the optimal string alignment
/// distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, letter) in a.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in b.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut best = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            if row > 0 && column > 0 && a[row - 1] == *other && *letter == b[column - 1] {
                best = best.min(before[column - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_113_a_misspelt_tag_is_recognised() {
        let known = ["billing", "mail", "post", "b"];
        for (name, meant) in [
            ("billing", Some("billing")),
            ("biling", Some("billing")),
            ("Bililng", Some("billing")),
            ("pots", Some("post")),
            ("mails", Some("mail")),
            ("", None),
            ("c", None),
            ("nobody", None),
            ("past-due", None),
        ] {
            assert_eq!(nearest(name, &known), meant, "{name}");
        }
        assert_eq!(nearest("mail", &[]), None);
    }
}
