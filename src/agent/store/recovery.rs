//! What to believe when an agent finds the store as a crash, damage or a restored backup left it: a pure decision.

use super::copy::{Copies, Slot};
use super::error::StoreError;
use super::image::Image;

/// What lies there for one issuer.
#[derive(Debug)]
pub(super) struct Found {
    /// What the database holds.
    pub row: Slot,
    /// The copy in force.
    pub copy: Slot,
    /// A copy that had not taken its place yet.
    pub prepared: Slot,
    /// What the database was given last and seemed not to take; its caller was told so.
    pub refused: Slot,
    /// A key was made here once.
    pub held: bool,
}

impl Found {
    /// A row, and what lies beside the database.
    pub fn beside(row: Slot, copies: &Copies) -> Result<Self, StoreError> {
        Ok(Self {
            row,
            copy: copies.current()?,
            prepared: copies.prepared()?,
            refused: copies.refused()?,
            held: copies.held()?,
        })
    }
}

/// What to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing was ever held here.
    Fresh,
    /// The database is right, and the copy agrees.
    Use(Image),
    /// The database is right; the prepared copy is the same and takes its place.
    Promote(Image),
    /// The database is right; the copy is made anew from it.
    Copy(Image),
    /// The database has lost it or was set back; it is made anew from the copy.
    Heal(Image),
    /// Both are gone.
    Lost,
}

/// Decides. A prepared copy one ahead of an intact row is a write that was never finished, so nobody was told of it.
/// Without a row a prepared copy, if it is whole, is at least as new as the row was; if it is torn, its write was
/// never finished either, and the copy in force is as new as anything that a caller was told of. What a caller was
/// told had failed is undone if the database took it all the same.
pub(super) fn decide(found: Found) -> Decision {
    let Found { row, copy, prepared, refused, held } = found;
    let (in_force, beside) = (copy.generation(), prepared.generation());
    let undone = matches!(row, Slot::Intact(_)) && row == refused;
    if let (true, Slot::Intact(image)) = (undone, &copy) {
        return Decision::Heal(image.clone());
    }
    if let Slot::Intact(row) = row {
        let at = row.generation;
        return match (in_force, beside) {
            (Some(copy_at), _) if copy_at > at => Decision::Heal(newest(copy, prepared).unwrap_or(row)),
            (Some(copy_at), Some(beside)) if copy_at == at && beside == at + 1 => Decision::Use(row),
            (None, Some(beside)) if beside == at + 1 => Decision::Copy(row),
            (_, Some(beside)) if beside > at => Decision::Heal(newest(copy, prepared).unwrap_or(row)),
            (_, Some(beside)) if beside == at => Decision::Promote(row),
            (Some(copy_at), _) if copy_at == at => Decision::Use(row),
            _ => Decision::Copy(row),
        };
    }
    // A copy takes its place only after its transaction, so one that is there means that something was held.
    let held = held || row == Slot::Damaged || copy != Slot::Absent;
    match newest(copy, prepared) {
        Some(image) => Decision::Heal(image),
        None if held => Decision::Lost,
        None => Decision::Fresh,
    }
}

fn newest(copy: Slot, prepared: Slot) -> Option<Image> {
    let images = [copy, prepared].into_iter().filter_map(|slot| match slot {
        Slot::Intact(image) => Some(image),
        _ => None,
    });
    images.max_by_key(|image| image.generation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn image(generation: u64) -> Image {
        Image { generation, line: 0, state: Zeroizing::new(vec![u8::try_from(generation).unwrap()]) }
    }

    /// 0 absent, 255 damaged, else intact of that generation.
    fn slot(what: u8) -> Slot {
        match what {
            0 => Slot::Absent,
            255 => Slot::Damaged,
            generation => Slot::Intact(image(generation.into())),
        }
    }

    #[track_caller]
    fn check(row: u8, copy: u8, prepared: u8, held: bool, expected: &Decision) {
        let found =
            Found { row: slot(row), copy: slot(copy), prepared: slot(prepared), refused: Slot::Absent, held };
        assert_eq!(decide(found), *expected, "row {row}, copy {copy}, prepared {prepared}, held {held}");
    }

    #[test]
    fn a_crash_at_any_point_of_a_write_leaves_the_state_before_or_after() {
        // (row, copy, prepared) as the steps of writing generation 5 leave them.
        check(4, 4, 0, true, &Decision::Use(image(4)));
        check(4, 4, 255, true, &Decision::Use(image(4)));
        check(4, 4, 5, true, &Decision::Use(image(4)));
        check(5, 4, 5, true, &Decision::Promote(image(5)));
        check(5, 5, 0, true, &Decision::Use(image(5)));
        // The first write of all.
        check(0, 0, 0, false, &Decision::Fresh);
        check(0, 0, 255, false, &Decision::Fresh);
        check(0, 0, 1, false, &Decision::Heal(image(1)));
        check(0, 0, 1, true, &Decision::Heal(image(1)));
        check(1, 0, 1, true, &Decision::Promote(image(1)));
        check(1, 1, 0, true, &Decision::Use(image(1)));
    }

    #[test]
    fn a_damaged_database_is_healed_from_a_copy_that_is_as_new() {
        for row in [0, 255] {
            check(row, 4, 0, true, &Decision::Heal(image(4)));
            check(row, 4, 5, true, &Decision::Heal(image(5)));
            check(row, 4, 255, true, &Decision::Heal(image(4)));
            check(row, 255, 5, true, &Decision::Heal(image(5)));
        }
    }

    #[test]
    fn p8_without_row_and_copy_the_store_is_lost_and_never_begun_anew() {
        for row in [0, 255] {
            for copy in [0, 255] {
                for prepared in [0, 255] {
                    check(row, copy, prepared, true, &Decision::Lost);
                }
            }
        }
        check(255, 0, 0, false, &Decision::Lost);
        check(0, 255, 0, false, &Decision::Lost);
    }

    #[test]
    fn a_damaged_or_older_copy_is_made_anew() {
        check(5, 255, 0, true, &Decision::Copy(image(5)));
        check(5, 0, 0, true, &Decision::Copy(image(5)));
        check(5, 3, 0, true, &Decision::Copy(image(5)));
        check(5, 255, 255, true, &Decision::Copy(image(5)));
        check(5, 255, 6, true, &Decision::Copy(image(5)));
    }

    #[test]
    fn b11_a_database_that_was_set_back_does_not_bring_back_what_was_returned() {
        check(2, 5, 0, true, &Decision::Heal(image(5)));
        check(2, 5, 6, true, &Decision::Heal(image(6)));
        check(2, 4, 5, true, &Decision::Heal(image(5)));
        check(2, 0, 5, true, &Decision::Heal(image(5)));
    }

    #[test]
    fn i4_what_was_refused_and_landed_all_the_same_is_undone() {
        let found = |row, refused| Found {
            row: slot(row),
            copy: slot(4),
            prepared: Slot::Absent,
            refused: slot(refused),
            held: true,
        };
        assert_eq!(decide(found(5, 5)), Decision::Heal(image(4)));
        assert_eq!(decide(found(4, 5)), Decision::Use(image(4)));
        assert_eq!(decide(found(5, 255)), Decision::Copy(image(5)));
    }
}
