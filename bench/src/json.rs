//! Just enough JSON to print an object of numbers and plain words.

/// An object under construction.
pub struct Object {
    text: String,
}

impl Object {
    pub fn new() -> Object {
        Object { text: String::from("{") }
    }

    fn name(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push_str(&format!("\"{name}\":"));
    }

    /// A word of ours: no quotes, no control bytes.
    pub fn word(mut self, name: &str, value: &str) -> Object {
        debug_assert!(!value.contains(['"', '\\', '\n']));
        self.name(name);
        self.text.push_str(&format!("\"{value}\""));
        self
    }

    pub fn count(mut self, name: &str, value: u64) -> Object {
        self.name(name);
        self.text.push_str(&value.to_string());
        self
    }

    pub fn number(mut self, name: &str, value: f64) -> Object {
        self.name(name);
        self.text.push_str(&format!("{value:.3}"));
        self
    }

    pub fn list(mut self, name: &str, items: &[String]) -> Object {
        self.name(name);
        self.text.push_str(&format!("[{}]", items.join(",")));
        self
    }

    pub fn end(mut self) -> String {
        self.text.push('}');
        self.text
    }
}
