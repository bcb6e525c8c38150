//! Every rule there is. Codes are stable: a rule that is dropped leaves its number unused.

use super::finding::{Level, Rule};

macro_rules! rules {
    ($($name:ident $code:literal $level:ident $title:literal, $hint:literal;)*) => {
        $(pub(super) static $name: Rule = Rule {
            code: $code, level: Level::$level, title: $title, hint: $hint,
        };)*
        /// All rules, by code.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    NO_FRONT_MATTER "M0001" Error "no front matter",
        "begin the file with a line `---`, then YAML, then a line `---`";
    NOT_YAML "M0002" Error "the front matter is not a YAML mapping",
        "write one `key: value` a line; quote values that hold `:`, `#`, `%`, `|`, `[` or quotes";
    OVER_LIMIT "M0003" Error "over a limit",
        "a document has at most 1 MiB, its front matter 1000 nodes and a depth of 16; its schemas 10000 values, 64 patterns of together 8 KiB, and 20000 schemas for one value once references are replaced";
    DUPLICATE_KEY "M0004" Error "a key stands twice",
        "keep one of them";
    DISPLACED "M0005" Note "the front matter is displaced",
        "take blank lines, a byte order mark or indentation away from the beginning of the file";
    NOT_UTF8 "M0006" Error "not UTF-8",
        "save the file as UTF-8";
    INDIRECT "M0007" Error "an anchor, alias, merge key or tag",
        "write the value itself where it is used";
    CONTROL "M0008" Warning "a control or direction character",
        "take it out: it shows a reader something other than what stands there";
    TOO_MANY "M0009" Note "more findings than are listed",
        "mend those that are listed first";
    FIELD_MISSING "M0101" Warning "a field of the profile is missing",
        "add the field to the front matter";
    FIELD_TYPE "M0102" Warning "a field has another type",
        "write it as the profile has it";
    ID "M0103" Warning "the id is no UUID",
        "write `urn:uuid:` and a UUID, as uuidgen prints one";
    ORIGIN "M0104" Warning "the origin is no URI",
        "write a URI such as agent://name";
    CREATED_AT "M0105" Warning "a time is not ISO 8601",
        "write it as 2026-01-31T12:00:00Z";
    VERSION "M0106" Note "an unknown maml_version",
        "known are 0.1.0, 1.0.0, 2.0, 2.0.0 and 2.1; it is read as 1.0.0";
    PLACEHOLDER "M0107" Warning "a placeholder was left",
        "put the value there";
    SCHEMA_NAME "M0108" Warning "an unknown schema name",
        "write `schema: maml-v1.0`";
    FIELD_UNKNOWN "M0109" Note "a field of no profile",
        "it is kept and not read";
    ENCRYPTION "M0110" Warning "an encryption label that names no suite",
        "name the cipher that is used: edge-256 (AES-256-GCM) or core-512 (AEAD_AES_SIV_CMAC_512)";
    NO_SUCH_CIPHER "M0111" Warning "an encryption label that is not an algorithm",
        "AES has keys of 128, 192 and 256 bits: name edge-256 (AES-256-GCM) or core-512 (AEAD_AES_SIV_CMAC_512)";
    SECTION_MISSING "M0201" Warning "a section of the profile is missing",
        "add the heading `## ` with the section's name";
    SECTION_TWICE "M0202" Error "a section stands twice",
        "join the two";
    FENCE_OPEN "M0203" Error "a fenced block is not closed",
        "end it with as many backticks as it begins with";
    SECTION_NAME "M0204" Note "a section's name is written otherwise",
        "write the heading as the guide has it";
    NO_SECTIONS "M0205" Warning "no sections",
        "write sections as headings of level 2: `## Intent`";
    NOT_JSON "M0301" Error "a schema is not JSON",
        "write one JSON object in a ```json block";
    NO_SCHEMA "M0302" Warning "a schema section without a schema",
        "write the JSON Schema in a ```json block";
    TYPE_NAME "M0303" Warning "a type that JSON Schema does not have",
        "JSON Schema knows null, boolean, object, array, number, string and integer";
    FORMAT_NAME "M0304" Warning "a format that JSON Schema does not have",
        "write date-time";
    BARE_MAP "M0305" Warning "a map of properties where a schema should be",
        "wrap it: {\"type\": \"object\", \"properties\": {...}}; bare, it accepts anything";
    SCHEMA_INVALID "M0306" Error "not a valid JSON Schema",
        "see JSON Schema 2020-12";
    REMOTE "M0307" Error "a reference to another document",
        "put the schema under $defs and refer to it as #/$defs/name: nothing is fetched";
    SCHEMA_PLACE "M0308" Note "a schema stands elsewhere than in its section",
        "put it into a ```json block of its section";
    SCHEMA_TWICE "M0309" Warning "a schema section with more than one block of JSON",
        "keep the one that is meant: the first is read";
    PERMISSIONS_EMPTY "M0401" Warning "permissions permit nobody to read",
        "name under `read` who may";
    PERMISSIONS_WILD "M0402" Warning "anybody may write or execute",
        "name who may";
    PERMISSIONS_NAME "M0403" Warning "a permission for no URI",
        "write a URI such as agent://name or gateway://name";
    PERMISSIONS_KIND "M0404" Warning "a permission of another kind",
        "the permissions are read, write and execute";
    PERMISSIONS_LACK "M0405" Note "no permission to write",
        "name under `write` who may add to the document, or write an empty list: nobody may";
    SIGNATURE_WORDS "M0501" Note "a signature's name, but no signature",
        "a name proves nothing; a record carries signatures: beluga maml verify";
    STANZAS "M0502" Error "signers or recipients that cannot be read",
        "FORMAT.md says how stanzas are written";
    MIRROR "M0503" Note "a mirrored copy as a receipt",
        "reversed text needs no key to make and proves nothing; a signed record does";
    HISTORY "M0601" Warning "a line of History has another form",
        "write `- 2026-01-31T12:00:00Z: [CREATE] text`, with CREATE, VALIDATE, EXECUTE, REFLECT or ERROR";
    HISTORY_ORDER "M0602" Warning "History goes back in time",
        "append at the end";
}
