//! What the service takes and gives, as OpenAPI 3.1 has it.

use serde_json::{Value, json};

pub(super) fn openapi() -> Value {
    let verdict = json!({ "$ref": "#/components/schemas/Verdict" });
    let answer = |text: &str, schema: &Value| json!({ "description": text, "content": { "application/json": { "schema": schema } } });
    let shed = || {
        let error = json!({ "$ref": "#/components/schemas/Error" });
        json!({
            "401": answer("no good bearer token, where one is asked for", &error),
            "408": answer("the body did not arrive in time", &error),
            "413": answer("the body is over the limit", &error),
            "415": answer("another media type", &error),
            "429": answer("too many requests at once", &error),
            "503": answer("no thread in time, or the service ends", &error)
        })
    };
    // Nothing is sent to these and no thread is needed.
    let guarded = || {
        let mut answers = shed();
        if let Value::Object(answers) = &mut answers {
            answers.retain(|status, _| matches!(status.as_str(), "401" | "429" | "503"));
        }
        answers
    };
    let with = |mut answers: Value, more: Value| {
        if let (Value::Object(answers), Value::Object(more)) = (&mut answers, more) {
            answers.extend(more);
        }
        answers
    };
    let text = json!({ "schema": { "type": "string" } });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "beluga maml serve", "version": env!("CARGO_PKG_VERSION") },
        "paths": {
            "/v1/maml/validate": { "post": {
                "summary": "Checks a document",
                "parameters": [{ "name": "profile", "in": "query", "schema": { "enum": ["auto", "compact", "guide"] } }],
                "requestBody": { "required": true, "content": { "text/markdown": text } },
                "responses": with(shed(), json!({
                    "200": answer("what is said of it, valid or not", &verdict),
                    "422": answer("another query", &json!({ "$ref": "#/components/schemas/Error" }))
                }))
            } },
            "/validate-maml": { "post": {
                "summary": "Checks a document; not valid is 400",
                "requestBody": { "required": true, "content": {
                    "application/json": { "schema": {
                        "type": "object",
                        "properties": { "content": { "type": "string" } },
                        "required": ["content"]
                    } },
                    "text/markdown": text,
                    "text/plain": text
                } },
                "responses": with(shed(), json!({
                    "200": answer("valid", &verdict),
                    "400": answer("not valid", &verdict),
                    "422": answer("JSON of another form", &json!({ "$ref": "#/components/schemas/Error" }))
                }))
            } },
            "/v1/maml/verify": { "post": {
                "summary": "Says whether a record is whole and whose it is; needs no key",
                "requestBody": { "required": true, "content": { "application/octet-stream": {} } },
                "responses": with(shed(), json!({
                    "200": answer("the report of `beluga --json maml verify`", &json!({ "type": "object" })),
                    "422": answer("cannot be read as a record", &json!({ "$ref": "#/components/schemas/Error" }))
                }))
            } },
            "/healthz": { "get": { "responses": { "200": { "description": "serving" }, "503": { "description": "ending" } } } },
            "/metrics": { "get": { "responses": with(guarded(), json!({ "200": { "description": "counters as Prometheus reads them" } })) } },
            "/openapi.json": { "get": { "responses": with(guarded(), json!({ "200": { "description": "this" } })) } }
        },
        "components": { "schemas": {
            "Error": { "type": "object", "properties": { "error": { "type": "string" } }, "required": ["error"] },
            "Verdict": {
                "type": "object",
                "properties": {
                    "valid": { "type": "boolean" },
                    "profile": { "enum": ["compact", "guide", null] },
                    "findings": { "type": "array", "items": { "type": "object", "properties": {
                        "code": { "type": "string", "pattern": "^M[0-9]{4}$" },
                        "level": { "enum": ["note", "warning", "error"] },
                        "message": { "type": "string" },
                        "hint": { "type": "string" },
                        "pointer": { "type": "string" },
                        "line": { "type": "integer", "minimum": 1 },
                        "column": { "type": "integer", "minimum": 1 },
                        "byte": { "type": "integer", "minimum": 0 }
                    } } }
                },
                "required": ["valid", "profile", "findings"]
            }
        } }
    })
}
