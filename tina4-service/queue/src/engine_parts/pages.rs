//! Calls that change many jobs, a page after the other.

use crate::engine_error::EngineError;

/// Changes a page of jobs after the other, each in a call of its own, so that no call takes long. Returns how many were changed.
///
/// `change` gets a page, beginning with `first`, and returns how many it has changed, and the next page if there may be one.
///
/// # Errors
///
/// The error of a page. It does not say that nothing was changed if a page before has changed something.
pub fn each_page<P>(
    engine: &'static str,
    first: P,
    mut change: impl FnMut(P) -> Result<(u64, Option<P>), EngineError>,
) -> Result<u64, EngineError> {
    let (mut all, mut next) = (0, Some(first));
    while let Some(page) = next {
        let changed = change(page)
            .map_err(|error| if all > 0 { error.after_changes(engine) } else { error })?;
        all += changed.0;
        next = changed.1;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_added_up_until_there_is_none() {
        let mut pages = Vec::new();
        let changed = each_page("memory", 1, |page| {
            pages.push(page);
            // One may be empty because another transaction was faster.
            Ok((if page == 2 { 0 } else { 10 }, (page < 3).then_some(page + 1)))
        });
        assert_eq!((changed.unwrap(), pages), (20, vec![1, 2, 3]));
    }

    #[test]
    fn rule_137_an_error_says_that_nothing_was_changed_only_if_it_is_so() {
        for (before, is_unchanged) in [(0, true), (10, false)] {
            let error = each_page("memory", 1, |page| {
                let source = "the server is gone".into();
                if page == 2 {
                    return Err(EngineError::Unchanged { engine: "memory", source });
                }
                Ok((before, Some(page + 1)))
            });
            assert_eq!(error.unwrap_err().is_unchanged(), is_unchanged);
        }
    }
}
