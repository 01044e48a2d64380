//! Tables: aligned columns, wrapped to the terminal where there is one.

use crate::screen::Screen;
use crate::text::clean;

use comfy_table::{ContentArrangement, LineStyle, Table as Grid, TableStyle};

/// Rows under a header.
pub(crate) struct Table(Grid);

impl Table {
    pub(crate) fn new<const N: usize>(screen: &Screen, header: [&str; N]) -> Self {
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
        grid.set_header(header);
        Self(grid)
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.0.add_row(cells.iter().map(|cell| clean(cell)));
    }

    /// Each line without the space around it.
    pub(crate) fn text(mut self) -> String {
        for column in self.0.column_iter_mut() {
            column.set_padding((0, 2));
        }
        self.0.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}
