//! Named tensors as one safetensors file, written from where they lie and read where they are to be: large ones are never copied whole.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorInfo};

use crate::ModelError;
use crate::mapped::FileBytes;

/// Numbers that are written at a time.
const CHUNK: usize = 4096;

/// Named tensors.
#[derive(Debug, Default)]
pub struct TensorFile<'a> {
    pub(super) tensors: BTreeMap<String, Entry<'a>>,
}

/// Type, shape and values of a tensor.
type Entry<'a> = (Dtype, Vec<usize>, Data<'a>);

/// Writes the bytes of a tensor, the same each time.
type Make<'a> = Box<dyn Fn(&mut dyn Write) -> io::Result<()> + 'a>;

/// Where a tensor's little-endian bytes are.
pub(super) enum Data<'a> {
    Held(Cow<'a, [u8]>),
    /// In a file, from a byte on.
    Stored {
        file: Arc<File>,
        at: u64,
        len: usize,
    },
    /// Made when they are written.
    Made {
        len: usize,
        make: Make<'a>,
    },
}

impl fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

impl Data<'_> {
    fn len(&self) -> usize {
        match self {
            Data::Held(bytes) => bytes.len(),
            Data::Stored { len, .. } | Data::Made { len, .. } => *len,
        }
    }

    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Data::Held(bytes) => out.write_all(bytes),
            Data::Stored { file, at, len } => {
                let mut file = &**file;
                file.seek(SeekFrom::Start(*at))?;
                io::copy(&mut file.take(*len as u64), out).map(|_| ())
            }
            Data::Made { make, .. } => make(out),
        }
    }

    /// Writes them into `to`, which is as long.
    fn read_into(&self, mut to: &mut [u8]) -> io::Result<()> {
        match self {
            Data::Held(bytes) => to.copy_from_slice(bytes),
            Data::Stored { file, at, .. } => {
                let mut file = &**file;
                file.seek(SeekFrom::Start(*at))?;
                file.read_exact(to)?;
            }
            Data::Made { make, .. } => make(&mut to)?,
        }
        Ok(())
    }
}

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
        self.tensors.insert(name, (Dtype::F32, shape, Data::Held(bytes)));
    }

    /// Adds a float tensor `[rows.len(), dim]` of these rows of `table`, which are put together as they are written.
    pub(crate) fn add_rows(&mut self, name: &str, table: &'a nn::Embedding, rows: Arc<[u32]>) {
        let shape = vec![rows.len(), table.dim];
        let make = move |out: &mut dyn Write| {
            let mut chunk = Vec::with_capacity(CHUNK * 4);
            for some in rows.chunks(CHUNK.div_ceil(table.dim.max(1))) {
                chunk.clear();
                chunk.extend(
                    some.iter()
                        .flat_map(|row| table.row(*row))
                        .flat_map(|value| value.to_le_bytes()),
                );
                out.write_all(&chunk)?;
            }
            Ok(())
        };
        self.add_made(name.to_owned(), Dtype::F32, shape, Box::new(make));
    }

    /// Adds a flat tensor of `len` whole numbers, which are asked for as they are written.
    pub(crate) fn add_numbers<I: IntoIterator<Item = u64>>(
        &mut self,
        name: String,
        len: usize,
        numbers: impl Fn() -> I + 'a,
    ) {
        let make = move |out: &mut dyn Write| {
            let mut chunk = Vec::with_capacity(CHUNK * 8);
            for number in numbers() {
                if chunk.len() == CHUNK * 8 {
                    out.write_all(&chunk)?;
                    chunk.clear();
                }
                chunk.extend(number.to_le_bytes());
            }
            out.write_all(&chunk)
        };
        self.add_made(name, Dtype::U64, vec![len], Box::new(make));
    }

    fn add_made(&mut self, name: String, dtype: Dtype, shape: Vec<usize>, make: Make<'a>) {
        let len = shape.iter().product::<usize>() * dtype.bitsize() / 8;
        self.tensors
            .insert(name, (dtype, shape, Data::Made { len, make }));
    }

    /// Adds a flat tensor of whole numbers.
    pub fn add_u64(&mut self, name: String, values: impl Iterator<Item = u64>) {
        let bytes: Vec<u8> = values.flat_map(u64::to_le_bytes).collect();
        let shape = vec![bytes.len() / 8];
        self.tensors
            .insert(name, (Dtype::U64, shape, Data::Held(Cow::Owned(bytes))));
    }

    /// Adds a flat byte tensor.
    pub fn add_u8(&mut self, name: String, values: impl Into<Cow<'a, [u8]>>) {
        let values = values.into();
        let shape = vec![values.len()];
        self.tensors.insert(name, (Dtype::U8, shape, Data::Held(values)));
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// When a shape and its values disagree.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes)
            .map_err(|error| ModelError::Mismatch(error.to_string()))?;
        Ok(bytes)
    }

    /// Writes the file: the size of its header, the header, then tensor after tensor, those of wide types first, so that all are
    /// aligned.
    ///
    /// # Errors
    /// When a shape and its values disagree; what `out` refuses.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut tensors: Vec<_> = self.tensors.iter().collect();
        tensors.sort_by(|(a, (wide, ..)), (b, (other, ..))| other.cmp(wide).then(a.cmp(b)));
        let mut end = 0;
        let infos = tensors.iter().map(|(name, (dtype, shape, data))| {
            let from = end;
            end += data.len();
            let info = TensorInfo {
                dtype: *dtype,
                shape: shape.clone(),
                data_offsets: (from, end),
            };
            ((*name).clone(), info)
        });
        let infos = infos.collect();
        let header = Metadata::new(None, infos).map_err(io::Error::other)?;
        let mut header = serde_json::to_vec(&header)?;
        header.resize(header.len().next_multiple_of(8), b' ');
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        tensors
            .into_iter()
            .try_for_each(|(_, (_, _, data))| data.write_to(out))
    }

    /// Reads a file's bytes; `path` names it in errors.
    ///
    /// # Errors
    /// When it is not a safetensors file.
    pub fn from_bytes(path: &Path, bytes: &'a [u8]) -> Result<TensorFile<'a>, ModelError> {
        TensorFile::of(path, bytes, |at, len| {
            Data::Held(Cow::Borrowed(&bytes[at..][..len]))
        })
    }

    /// The file `path`, of a sealed folder; a tensor's values are read when they are asked for.
    ///
    /// # Errors
    /// What the file system refused; when it is not a safetensors file.
    pub fn open(path: &Path) -> Result<TensorFile<'static>, ModelError> {
        let failed = |error| ModelError::io(path, error);
        // Of the mapped bytes only the header is read.
        let bytes = FileBytes::map(path).map_err(failed)?;
        let file = Arc::new(File::open(path).map_err(failed)?);
        TensorFile::of(path, bytes.as_slice(), |at, len| Data::Stored {
            file: file.clone(),
            at: at as u64,
            len,
        })
    }

    /// The tensors that the header of `bytes` tells of.
    fn of<'d>(
        path: &Path,
        bytes: &[u8],
        data: impl Fn(usize, usize) -> Data<'d>,
    ) -> Result<TensorFile<'d>, ModelError> {
        let damaged = |error: SafeTensorError| ModelError::damaged(path, error.to_string());
        let (header, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let start = size_of::<u64>() + header;
        let tensors = metadata.tensors().into_iter().map(|(name, info)| {
            let (from, to) = info.data_offsets;
            (
                name,
                (info.dtype, info.shape.clone(), data(start + from, to - from)),
            )
        });
        Ok(TensorFile {
            tensors: tensors.collect(),
        })
    }

    /// Fills `values` from a float tensor of as many values.
    ///
    /// # Errors
    /// When it is missing or of another size.
    pub fn fill_f32(&self, path: &Path, name: &str, values: &mut [f32]) -> Result<(), ModelError> {
        let data = self.data(path, name, Dtype::F32, values.len() * 4)?;
        data.read_into(bytemuck::cast_slice_mut(values))
            .map_err(|error| ModelError::io(path, error))?;
        if cfg!(target_endian = "big") {
            let swapped = |value: &f32| f32::from_bits(u32::from_le(value.to_bits()));
            values.iter_mut().for_each(|value| *value = swapped(value));
        }
        Ok(())
    }

    /// The `len` bytes of a byte tensor.
    ///
    /// # Errors
    /// When it is missing or of another size.
    pub fn u8(&self, path: &Path, name: &str, len: usize) -> Result<Vec<u8>, ModelError> {
        // Asked for first: a damaged length takes no memory.
        let data = self.data(path, name, Dtype::U8, len)?;
        let mut bytes = vec![0; len];
        data.read_into(&mut bytes)
            .map_err(|error| ModelError::io(path, error))?;
        Ok(bytes)
    }

    /// The whole numbers of a flat tensor.
    ///
    /// # Errors
    /// When it is missing or of another type.
    pub fn u64s(&self, path: &Path, name: &str) -> Result<Vec<u64>, ModelError> {
        let len = self.shape(path, name)?.iter().product::<usize>();
        let data = self.data(path, name, Dtype::U64, len * 8)?;
        let mut values = vec![0u64; len];
        data.read_into(bytemuck::cast_slice_mut(&mut values))
            .map_err(|error| ModelError::io(path, error))?;
        values.iter_mut().for_each(|value| *value = u64::from_le(*value));
        Ok(values)
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

    fn data(&self, path: &Path, name: &str, dtype: Dtype, len: usize) -> Result<&Data<'a>, ModelError> {
        match self.tensors.get(name) {
            Some((found, _, data)) if *found == dtype && data.len() == len => Ok(data),
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
