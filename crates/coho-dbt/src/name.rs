//! Names of models as a project writes them after `dbt:`, with the meaning that dbt's `ref` gives them.

/// A name's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName {
    /// The dbt package, where it is named.
    pub package: Option<String>,
    /// The model.
    pub model: String,
    /// Its version, where it is named.
    pub version: Option<String>,
}

impl ModelName {
    /// `customers`, `package.customers`, `customers.v2`, `package.customers.v2`. A last part such as `v2` is a version.
    pub fn parse(text: &str) -> Self {
        let mut parts: Vec<&str> = text.split('.').collect();
        let version = parts.last().copied().filter(|_| parts.len() > 1).and_then(version);
        if version.is_some() {
            parts.pop();
        }
        let model = parts.pop().unwrap_or_default().to_owned();
        let package = (!parts.is_empty()).then(|| parts.join("."));
        Self { package, model, version: version.map(str::to_owned) }
    }

    /// How dbt refers to it: `ref('shop', 'customers', v=2)`.
    pub fn reference(&self) -> String {
        let quoted = |name: &String| format!("'{name}'");
        let version = self.version.as_ref().map(|version| {
            if version.bytes().all(|byte| byte.is_ascii_digit()) {
                format!("v={version}")
            } else {
                format!("v='{version}'")
            }
        });
        let arguments: Vec<String> =
            self.package.iter().map(quoted).chain([quoted(&self.model)]).chain(version).collect();
        format!("ref({})", arguments.join(", "))
    }
}

/// `2` of `v2`.
fn version(part: &str) -> Option<&str> {
    part.strip_prefix('v').filter(|version| version.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_referred_to_as_dbt_does() {
        let reference = |text: &str| ModelName::parse(text).reference();
        assert_eq!(reference("customers"), "ref('customers')");
        assert_eq!(reference("shop.customers"), "ref('shop', 'customers')");
        assert_eq!(reference("customers.v2"), "ref('customers', v=2)");
        assert_eq!(reference("shop.customers.v2a"), "ref('shop', 'customers', v='2a')");
        assert_eq!(reference("shop.vendors"), "ref('shop', 'vendors')");
        assert_eq!(reference("v2"), "ref('v2')");
    }
}
