//! Tests of whole documents: every rule once, the writer's documents, damage.

mod damage;
mod every_rule;
mod written;
