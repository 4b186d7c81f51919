//! Long lists, page by page: each answer names where the next begins.

use crate::problem::Problem;
use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// Where a page begins: behind the item that was changed then and has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Milliseconds since 1970, or whatever number the list goes by.
    pub at: i64,
    /// The item.
    pub name: String,
}

/// `?limit=` and `?after=` of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Items, at least 1.
    pub limit: u32,
    /// Where it begins; none is the beginning.
    pub after: Option<Cursor>,
}

#[derive(Deserialize)]
struct Raw {
    limit: Option<i32>,
    after: Option<String>,
}

impl Page {
    /// With at most so many items, whatever was asked for.
    pub fn at_most(self, limit: u32) -> Self {
        Self { limit: self.limit.min(limit), ..self }
    }
}

/// The list's answer, with where the next page begins if there is one.
pub fn with_next(mut answer: Value, next: Option<Cursor>) -> Value {
    if let Some(next) = next {
        answer["next"] = next.to_string().into();
    }
    answer
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let bad = || Problem::unprocessable("bad_page", "limit is a number from 1 up, and after is the next of a page before");
        let Query(Raw { limit, after }) = Query::from_request_parts(parts, state).await.map_err(|_| bad())?;
        let after = after.map(|text| read(&text).ok_or_else(bad)).transpose()?;
        let limit = u32::try_from(limit.unwrap_or(i32::MAX)).ok().filter(|limit| *limit > 0).ok_or_else(bad)?;
        Ok(Self { limit, after })
    }
}

fn read(text: &str) -> Option<Cursor> {
    let (at, name) = text.split_once('.')?;
    Some(Cursor { at: at.parse().ok()?, name: name.to_owned() })
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at, self.name)
    }
}
