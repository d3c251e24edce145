//! Names against a manifest that has each way in which one may not be a table.

use super::*;

/// Two packages, every way in which a name may not be a table, and what later versions of dbt may write.
const MANIFEST: &str = r#"{
    "metadata": { "dbt_schema_version": "manifest/v99", "adapter_type": "bigquery", "new": [1] },
    "nodes": {
        "model.shop.customers": { "resource_type": "model", "package_name": "shop", "name": "customers",
            "config": { "materialized": "table", "tags": [] }, "relation_name": "\"db\".\"s\".\"customers\"",
            "depends_on": { "macros": [], "nodes": [] }, "columns": { "id": {} }, "raw_code": "select 1" },
        "model.shop.orders.v1": { "resource_type": "model", "package_name": "shop", "name": "orders",
            "version": 1, "latest_version": 2, "relation_name": "orders_v1" },
        "model.shop.orders.v2": { "resource_type": "model", "package_name": "shop", "name": "orders",
            "version": 2, "latest_version": 2, "relation_name": "orders_v2" },
        "model.shop.drafts.v1": { "resource_type": "model", "package_name": "shop", "name": "drafts",
            "version": "1", "latest_version": null, "relation_name": "drafts_v1" },
        "model.shop.shared": { "resource_type": "model", "package_name": "shop", "name": "shared",
            "relation_name": "a.shared" },
        "model.kit.shared": { "resource_type": "model", "package_name": "kit", "name": "shared",
            "relation_name": "b.shared" },
        "seed.shop.plans": { "resource_type": "seed", "package_name": "shop", "name": "plans",
            "relation_name": "s.plans" },
        "model.shop.helper": { "resource_type": "model", "package_name": "shop", "name": "helper",
            "config": { "materialized": "ephemeral" }, "relation_name": null },
        "model.shop.bare": { "name": "bare", "config": null, "depends_on": null },
        "model.shop.remote": { "name": "remote", "package_name": "shop", "relation_name": "`p`.`d`.`remote`" },
        "test.shop.unique_customers_id": { "resource_type": "test", "name": "unique_customers_id",
            "depends_on": { "nodes": ["model.shop.customers"] } },
        "analysis.shop.look": { "resource_type": "analysis", "name": "look" }
    },
    "unit_tests": { "unit_test.shop.customers.counts": { "name": "counts",
        "depends_on": { "nodes": ["model.shop.customers"] } } },
    "disabled": { "model.shop.old": [{ "resource_type": "model", "name": "old" }] },
    "saved_queries": {}
}"#;

fn manifest() -> Manifest {
    Manifest::read(MANIFEST.as_bytes()).unwrap()
}

fn relation(name: &str) -> String {
    manifest().find(name).unwrap().relation
}

/// What is wrong, and what helps.
fn wrong(name: &str) -> String {
    let problem = manifest().find(name).unwrap_err();
    assert_eq!(problem.code, Code::DBT_MODEL);
    format!("{}: {}", problem.message, problem.help.unwrap())
}

#[test]
fn a_model_is_found_as_ref_finds_it() {
    assert_eq!(relation("customers"), "\"db\".\"s\".\"customers\"");
    assert_eq!(relation("shop.customers"), "\"db\".\"s\".\"customers\"");
    assert_eq!(relation("plans"), "s.plans");
    assert_eq!(relation("kit.shared"), "b.shared");
}

#[test]
fn without_a_version_the_latest_is_meant() {
    assert_eq!(relation("orders"), "orders_v2");
    assert_eq!(relation("orders.v1"), "orders_v1");
    assert_eq!(relation("shop.orders.v1"), "orders_v1");
    assert_eq!(wrong("orders.v3"), "the dbt model `orders` has no version 3: its versions are `1`, `2`");
    assert_eq!(
        wrong("customers.v1"),
        "the dbt model `customers` has no versions, and so no version 1: write `dbt: customers`"
    );
    assert_eq!(
        wrong("drafts"),
        "none of the versions of the dbt model `drafts` is the latest: name one: `1`"
    );
}

#[test]
fn a_name_in_two_packages_needs_one() {
    assert_eq!(
        wrong("shared"),
        "several dbt packages have a model `shared`: `kit`, `shop`: name the package: `dbt: kit.shared`"
    );
}

#[test]
fn a_name_that_is_not_there_has_neighbours() {
    assert_eq!(wrong("custmers"), "dbt's manifest has no model `custmers`: did you mean `customers`?");
    assert_eq!(
        wrong("kit.customers"),
        "dbt's manifest has no model `kit.customers`: did you mean `shop.customers`?"
    );
    assert_eq!(
        wrong("invoices"),
        "dbt's manifest has no model `invoices`: if it is new, run `dbt parse`; the manifest has `bare`, `customers`, \
         `drafts`, `helper`, `orders`, `plans`, `remote`, `shared`"
    );
}

#[test]
fn what_has_no_table_says_why() {
    assert_eq!(
        wrong("helper"),
        "the dbt model `helper` is ephemeral: it has no table or view: set `materialized` of the model to `view` or \
         `table` in dbt, and run `dbt build`"
    );
    assert_eq!(
        wrong("bare"),
        "the manifest names no table or view of the dbt model `bare`: run `dbt build`; if it stays so, write `table: \
         schema.table` instead of `dbt:`"
    );
    assert_eq!(
        wrong("unique_customers_id"),
        "`unique_customers_id` is a test in dbt, not a model: name a model, a seed or a snapshot"
    );
    assert_eq!(
        wrong("look"),
        "`look` is an analysis in dbt, not a model: name a model, a seed or a snapshot"
    );
    assert_eq!(wrong("old"), "the dbt model `old` is disabled: enable it in dbt, and run `dbt build`");
    assert_eq!(
        wrong("remote"),
        "the table of the dbt model `remote` is in bigquery, but the source is a different database: name the \
         `target` of the dbt project that builds the source's tables"
    );
}

#[test]
fn tests_belong_to_what_they_depend_on() {
    let manifest = manifest();
    let names: Vec<&str> =
        manifest.tests("model.shop.customers").iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["unique_customers_id", "counts"]);
    assert!(manifest.tests("model.shop.orders.v2").is_empty());
}

#[test]
fn another_file_is_refused() {
    let refused = |text: &str| Manifest::read(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(refused("{\"results\": []}"), "it has no `nodes`, so it is not dbt's manifest.json");
    assert!(refused("version: 2").starts_with("not a JSON file that dbt writes: "));
    assert!(refused("{\"nodes\": {}} more").starts_with("not a JSON file that dbt writes: "));
}
