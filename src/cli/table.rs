//! Tables: aligned columns, wrapped to the terminal where there is one.

use crate::screen::Screen;
use crate::text::clean;

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table as Grid, TableStyle, Width};

/// The last column wraps down to this many characters, where the terminal is narrow.
const NARROWEST: u16 = 12;

/// Rows under a header. On a narrow terminal the last column wraps; the others hold ids, times and numbers, which
/// nobody could read in pieces.
pub(crate) struct Table(Grid);

impl Table {
    pub(crate) fn new(screen: &Screen, header: &[&str]) -> Self {
        let mut grid = Grid::new();
        let line = if screen.utf8 { '─' } else { '-' };
        let style = TableStyle::new();
        grid.load_style(match screen.width {
            Some(_) => style.header_separator(LineStyle::none().fill(line).junction(line)),
            None => style,
        });
        if let Some(width) = screen.width {
            grid.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            grid.set_content_arrangement(ContentArrangement::Disabled);
        }
        grid.set_header(header.iter().copied());
        Self(grid)
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.add_row(cells.into_iter().map(|cell| cell.lines().map(clean).collect::<Vec<_>>().join("\n")));
    }

    /// Each line without the space around it.
    pub(crate) fn text(mut self) -> String {
        let last = self.0.column_count().saturating_sub(1);
        let terminal = self.0.width().is_some();
        for (at, column) in self.0.column_iter_mut().enumerate() {
            // A drawn header line brings a space of its own between columns.
            column.set_padding((0, if terminal { 1 } else { 2 }));
            if terminal {
                column.set_constraint(match at == last {
                    true => ColumnConstraint::LowerBoundary(Width::Fixed(NARROWEST)),
                    false => ColumnConstraint::ContentWidth,
                });
            }
        }
        self.0.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}
