//! One measured figure beside its floor and its bar.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct Figure {
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
    /// What the same run measured as the floor, and how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<Floor>,
    /// The bar that the figure has to reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bar: Option<Bar>,
    /// How it was measured.
    pub how: String,
}

#[derive(Debug, Serialize)]
pub struct Floor {
    pub value: f64,
    pub unit: &'static str,
    pub what: &'static str,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    pub fn reached(&self) -> Option<bool> {
        self.bar.map(|bar| match bar {
            Bar::AtMost(most) => self.value <= most,
            Bar::AtLeast(least) => self.value >= least,
        })
    }

    pub fn line(&self) -> String {
        let verdict = match (self.bar, self.reached()) {
            (Some(Bar::AtMost(bar)), Some(true)) => format!("at most {bar}: reached"),
            (Some(Bar::AtMost(bar)), _) => format!("at most {bar}: NOT REACHED"),
            (Some(Bar::AtLeast(bar)), Some(true)) => format!("at least {bar}: reached"),
            (Some(Bar::AtLeast(bar)), _) => format!("at least {bar}: NOT REACHED"),
            (None, _) => String::new(),
        };
        let floor = match &self.floor {
            Some(floor) => format!("floor {:.2} {} ({})", floor.value, floor.unit, floor.what),
            None => String::new(),
        };
        format!(
            "{:<26} {:>10.3} {:<4} {verdict:<24} {floor}\n{:>30}{}",
            self.name, self.value, self.unit, "", self.how
        )
    }
}
