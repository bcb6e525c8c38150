//! What a document says of a run, and leaves in the record's document.

use beluga_sinks::maml::DocumentFields;

use crate::config::Config;

/// A document's config, and its words for the record's document.
#[derive(Clone, Debug)]
pub(crate) struct By {
    pub(crate) config: Config,
    pub(crate) title: Option<String>,
    pub(crate) intent: Option<String>,
    pub(crate) context: Option<String>,
    pub(crate) input_schema: Option<serde_json::Value>,
    pub(crate) output_schema: Option<serde_json::Value>,
    pub(crate) history: String,
    /// Who may do what, where the record that is made must keep to it.
    pub(crate) permissions: Option<serde_json::Value>,
}

impl By {
    /// Puts the words into a record's document.
    pub(crate) fn dress(&self, fields: &mut DocumentFields) {
        for (word, field) in [
            (&self.title, &mut fields.title),
            (&self.intent, &mut fields.intent),
            (&self.context, &mut fields.context),
        ] {
            if let Some(word) = word {
                field.clone_from(word);
            }
        }
        for (schema, field) in [
            (&self.input_schema, &mut fields.input_schema),
            (&self.output_schema, &mut fields.output_schema),
        ] {
            if let Some(schema) = schema {
                field.clone_from(schema);
            }
        }
        fields.history.push(self.history.clone());
    }
}
