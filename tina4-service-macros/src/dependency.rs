//! One entry of `after` or `requires`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{LitStr, Path};
use tina4_service_core::name;

use crate::errors;
use crate::tokens::path_text;

/// A service that another one depends on.
pub(crate) enum Dependency {
    /// The path of a service function.
    Function(Path),
    /// The name of a service.
    Name(LitStr),
}

impl Dependency {
    /// The entry as it was written.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Function(path) => path_text(path),
            Self::Name(text) => format!("{:?}", text.value()),
        }
    }

    /// The entry without the marks of raw identifiers, to compare entries.
    pub(crate) fn plain_text(&self) -> String {
        self.text().replace("r#", "")
    }

    /// Checks a name; a path is checked by rustc.
    pub(crate) fn check(&self) -> syn::Result<()> {
        match self {
            Self::Function(_) => Ok(()),
            Self::Name(text) => {
                name::check(&text.value()).map_err(|error| errors::spanned(text, error))
            }
        }
    }
}

impl ToTokens for Dependency {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Function(path) => path.to_tokens(tokens),
            Self::Name(text) => text.to_tokens(tokens),
        }
    }
}
