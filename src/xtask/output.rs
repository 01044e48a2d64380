//! Reads what `cargo test -- --show-output` prints: counts, and which tests skipped themselves.

/// What test programs reported so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    /// Which test, and why.
    pub skipped: Vec<(String, String)>,
    /// Names of failed tests.
    pub failures: Vec<String>,
}

/// Follows the output line by line.
#[derive(Debug, Default)]
pub struct Reader {
    pub counts: Counts,
    /// Tests of the running test program that skipped themselves.
    by_itself: Vec<(String, String)>,
    /// The test whose captured output is being read.
    current: Option<String>,
    /// Inside of the output of tests that passed, which nobody needs to see.
    quiet: bool,
}

impl Reader {
    /// Takes one line; true if a person should see it.
    pub fn line(&mut self, line: &str) -> bool {
        if line == "successes:" {
            self.quiet = true;
        } else if line == "failures:" {
            (self.quiet, self.current) = (false, None);
        } else if let Some(result) = line.strip_prefix("test result: ") {
            (self.quiet, self.current) = (false, None);
            self.result(result);
        } else if let Some(name) =
            line.strip_prefix("---- ").and_then(|rest| rest.split(" stdout ----").next())
        {
            self.current = Some(name.to_owned());
        } else if let Some(name) =
            line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.counts.failures.push(name.to_owned());
        } else if let Some((test, why)) = line.split_once(" ... ignored") {
            let test = test.strip_prefix("test ").unwrap_or(test);
            self.counts.skipped.push((test.to_owned(), why.trim_start_matches(", ").to_owned()));
        } else if let Some((_, reason)) = line.split_once("SKIPPED: ").filter(|_| self.quiet) {
            self.skip(reason);
        }
        !self.quiet
    }

    fn result(&mut self, text: &str) {
        let count = |what: &str| {
            let part = text.split(['.', ';']).find_map(|part| part.trim().strip_suffix(what));
            part.and_then(|number| number.trim().parse::<usize>().ok()).unwrap_or(0)
        };
        let by_itself = std::mem::take(&mut self.by_itself);
        self.counts.passed += count("passed").saturating_sub(by_itself.len());
        self.counts.failed += count("failed");
        self.counts.skipped.extend(by_itself);
    }

    /// A test that skips itself ends well: it counts as skipped, once, and not as passed.
    fn skip(&mut self, reason: &str) {
        let test = self.current.clone().unwrap_or_default();
        match self.by_itself.iter_mut().find(|(name, _)| *name == test) {
            Some((_, reasons)) => *reasons = format!("{reasons}; {reason}"),
            None => self.by_itself.push((test, reason.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
running 4 tests
test a::fails ... FAILED
test a::bridge ... ok
test a::slow ... ignored, takes a day
test a::works ... ok

successes:

---- a::bridge stdout ----
SKIPPED: needs root
noise: SKIPPED: and a second thing

---- a::works stdout ----
noise

successes:
    a::bridge
    a::works

failures:

---- a::fails stdout ----
what went wrong

failures:
    a::fails

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 1 test
test a::bridge ... ok

successes:

---- a::bridge stdout ----
SKIPPED: needs a bus

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

    #[test]
    fn counts_come_from_every_test_program() {
        let mut reader = Reader::default();
        let shown: Vec<_> = OUTPUT.lines().filter(|line| reader.line(line)).collect();
        let pair = |test: &str, why: &str| (test.to_owned(), why.to_owned());
        let expected = Counts {
            passed: 1,
            failed: 1,
            skipped: vec![
                pair("a::slow", "takes a day"),
                pair("a::bridge", "needs root; and a second thing"),
                pair("a::bridge", "needs a bus"),
            ],
            failures: vec!["a::fails".to_owned()],
        };
        assert_eq!(reader.counts, expected);
        assert!(shown.contains(&"what went wrong"));
        assert!(!shown.iter().any(|line| line.contains("noise")));
    }
}
