//! The catalog as a readable table: `fixtures/catalog/<object>.snap`. A change of the catalog is reviewed there.

use std::path::Path;

use coho_core::object::{Catalog, Editable, Object, ReadOnly, Required};

#[test]
fn catalog_of_each_object_reads_as_a_table() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/catalog"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for object in Object::ALL {
            insta::assert_snapshot!(object.name(), show(object));
        }
    });
}

fn show(object: Object) -> String {
    let catalog = object.catalog();
    let read_only: Vec<_> = catalog.read_only.iter().map(kept).collect();
    let owners = catalog.owners.as_ref().map_or_else(String::new, |owners| {
        format!("\nat least one of {}, else: {}\n", owners.any_of.join(", "), owners.text)
    });
    format!(
        "{object}, as {} said on {}\n\n{}{owners}\nread only\n{}\n",
        catalog.source.page,
        catalog.source.day,
        writable(catalog),
        read_only.join("\n"),
    )
}

fn writable(catalog: &Catalog) -> String {
    let line = |field: &str, holds: &str, required: &str, written: &str| {
        let line = format!("{field:<29}  {holds:<13}  {required:<8}  {written}");
        format!("{}\n", line.trim_end())
    };
    let mut text = line("field", "holds", "required", "written");
    for field in catalog.fields {
        let required = match field.required {
            Required::No => "",
            Required::OnCreate => "yes",
        };
        let written = match field.editable {
            Editable::Always => "always",
            Editable::OnCreate => "once",
        };
        text.push_str(&line(field.name, &field.kind.to_string(), required, written));
    }
    text
}

fn kept(field: &ReadOnly) -> String {
    match field.hint {
        Some(hint) => format!("{:<29}  {hint}", field.name),
        None => field.name.to_owned(),
    }
}
