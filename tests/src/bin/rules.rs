//! Prints every rule of `RULES.md` with the tests that check it.

use tests::rules::Index;

fn main() {
    print!("{}", Index::read());
}
