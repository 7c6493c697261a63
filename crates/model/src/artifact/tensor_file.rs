//! Named tensors as one safetensors file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::ModelError;

/// Named tensors as one safetensors file. It borrows what it is made of where it can: tables are large.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct TensorFile<'a> {
    pub(super) tensors: BTreeMap<String, Entry<'a>>,
}

/// Type, shape and bytes of a tensor.
type Entry<'a> = (Dtype, Vec<usize>, Cow<'a, [u8]>);

/// The bytes of values, little-endian.
fn little_endian(values: Cow<'_, [f32]>) -> Cow<'_, [u8]> {
    match values {
        Cow::Borrowed(values) if cfg!(target_endian = "little") => {
            Cow::Borrowed(bytemuck::cast_slice(values))
        }
        values => Cow::Owned(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
    }
}

impl<'a> TensorFile<'a> {
    /// Adds a float tensor.
    pub fn add_f32(&mut self, name: String, shape: Vec<usize>, values: impl Into<Cow<'a, [f32]>>) {
        let bytes = little_endian(values.into());
        self.tensors.insert(name, (Dtype::F32, shape, bytes));
    }

    /// Adds a tensor of little-endian bytes.
    pub(crate) fn add(&mut self, name: &str, dtype: Dtype, shape: Vec<usize>, bytes: Vec<u8>) {
        self.tensors
            .insert(name.to_owned(), (dtype, shape, Cow::Owned(bytes)));
    }

    /// Adds a flat tensor of whole numbers.
    pub fn add_u64(&mut self, name: String, values: impl Iterator<Item = u64>) {
        let bytes: Vec<u8> = values.flat_map(u64::to_le_bytes).collect();
        self.tensors
            .insert(name, (Dtype::U64, vec![bytes.len() / 8], Cow::Owned(bytes)));
    }

    /// Adds a flat byte tensor.
    pub fn add_u8(&mut self, name: String, values: impl Into<Cow<'a, [u8]>>) {
        let values = values.into();
        self.tensors.insert(name, (Dtype::U8, vec![values.len()], values));
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// When a shape and its values disagree.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let views: Result<Vec<_>, _> = self
            .tensors
            .iter()
            .map(|(name, (dtype, shape, bytes))| Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect();
        views
            .and_then(|views| safetensors::serialize(views, None))
            .map_err(|error: safetensors::SafeTensorError| ModelError::Mismatch(error.to_string()))
    }

    /// Reads a file's bytes; `path` names it in errors.
    ///
    /// # Errors
    /// When it is not a safetensors file.
    pub fn from_bytes(path: &Path, bytes: &'a [u8]) -> Result<TensorFile<'a>, ModelError> {
        let file =
            SafeTensors::deserialize(bytes).map_err(|error| ModelError::damaged(path, error.to_string()))?;
        let tensors = file
            .tensors()
            .into_iter()
            .map(|(name, view)| {
                (
                    name,
                    (view.dtype(), view.shape().to_vec(), Cow::Borrowed(view.data())),
                )
            })
            .collect();
        Ok(TensorFile { tensors })
    }

    /// Fills `values` from a float tensor of as many values.
    ///
    /// # Errors
    /// When it is missing or of another size.
    pub fn fill_f32(&self, path: &Path, name: &str, values: &mut [f32]) -> Result<(), ModelError> {
        let bytes = self.bytes(path, name, Dtype::F32, values.len() * 4)?;
        for (value, bytes) in values.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *value = f32::from_le_bytes(*bytes);
        }
        Ok(())
    }

    /// The `len` bytes of a byte tensor.
    ///
    /// # Errors
    /// When it is missing or of another size.
    pub fn u8(&self, path: &Path, name: &str, len: usize) -> Result<&[u8], ModelError> {
        self.bytes(path, name, Dtype::U8, len)
    }

    /// The whole numbers of a flat tensor.
    ///
    /// # Errors
    /// When it is missing or of another type.
    pub fn u64s(&self, path: &Path, name: &str) -> Result<Vec<u64>, ModelError> {
        let len = self.shape(path, name)?.iter().product::<usize>() * 8;
        let bytes = self.bytes(path, name, Dtype::U64, len)?.as_chunks::<8>().0;
        Ok(bytes.iter().map(|value| u64::from_le_bytes(*value)).collect())
    }

    /// How many values a tensor has.
    ///
    /// # Errors
    /// When it is missing.
    pub fn count(&self, path: &Path, name: &str) -> Result<usize, ModelError> {
        Ok(self.shape(path, name)?.iter().product())
    }

    /// The shape of a tensor.
    ///
    /// # Errors
    /// When it is missing.
    pub(crate) fn shape(&self, path: &Path, name: &str) -> Result<&[usize], ModelError> {
        let missing = || ModelError::damaged(path, format!("tensor `{name}` is missing"));
        self.tensors
            .get(name)
            .map(|(_, shape, _)| shape.as_slice())
            .ok_or_else(missing)
    }

    /// Checks that tensor `name` has this shape.
    pub(crate) fn check_shape(&self, path: &Path, name: &str, expected: &[usize]) -> Result<(), ModelError> {
        match self.tensors.get(name) {
            Some((_, found, _)) if found != expected => Err(ModelError::damaged(
                path,
                format!("tensor `{name}` is {found:?}; the declaration asks for {expected:?}"),
            )),
            _ => Ok(()),
        }
    }

    fn bytes(&self, path: &Path, name: &str, dtype: Dtype, len: usize) -> Result<&[u8], ModelError> {
        match self.tensors.get(name) {
            Some((found, _, bytes)) if *found == dtype && bytes.len() == len => Ok(bytes),
            Some((found, shape, _)) => Err(ModelError::damaged(
                path,
                format!(
                    "tensor `{name}` is {found:?} {shape:?}; the declaration asks for {len} bytes of {dtype:?}"
                ),
            )),
            None => Err(ModelError::damaged(path, format!("tensor `{name}` is missing"))),
        }
    }
}
