//! Pictures of pages: as small as they can be, and checked for having something on them.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;

/// A colour: red, green, blue.
type Colour = [u8; 3];

/// So many colours are kept. Pages have few, and the shades at the edges of letters.
const COLOURS: usize = 128;

/// A picture with fewer colours than this shows no page.
const FEWEST: usize = 16;

/// So many bytes a picture may have at most.
pub const MOST_BYTES: usize = 60_000;

/// What is wrong with a picture.
#[derive(Debug)]
pub enum PictureError {
    /// It could not be read.
    Read(png::DecodingError),
    /// It could not be written.
    Write(png::EncodingError),
    /// It is not of the kind that browsers take: 8 bits for each of red, green and blue.
    Kind,
    /// Nothing is to be seen on it: so many colours, and so many of a hundred pixels of one of them.
    Blank {
        /// Colours.
        colours: usize,
        /// The share of the commonest one.
        percent: usize,
    },
    /// It has more than [`MOST_BYTES`] bytes.
    TooLarge(usize),
}

impl std::fmt::Display for PictureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(error) => write!(f, "reading the picture: {error}"),
            Self::Write(error) => write!(f, "writing the picture: {error}"),
            Self::Kind => f.write_str("the picture has not 8 bits for each of red, green and blue"),
            Self::Blank { colours, percent } => {
                write!(f, "the picture is blank: {colours} colours, {percent} % of it of one")
            }
            Self::TooLarge(bytes) => write!(f, "the picture has {bytes} bytes, {MOST_BYTES} are allowed"),
        }
    }
}

impl std::error::Error for PictureError {}

/// The same picture with a palette of its commonest colours. Fails where it is blank, or still large.
pub fn small(bytes: &[u8]) -> Result<Vec<u8>, PictureError> {
    let (width, height, pixels) = read(bytes)?;
    let mut counts: BTreeMap<Colour, usize> = BTreeMap::new();
    for pixel in &pixels {
        *counts.entry(*pixel).or_default() += 1;
    }
    let mut colours: Vec<(Colour, usize)> = counts.into_iter().collect();
    colours.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let percent = colours.first().map_or(100, |(_, count)| count * 100 / pixels.len().max(1));
    if colours.len() < FEWEST || percent > 97 {
        return Err(PictureError::Blank { colours: colours.len(), percent });
    }
    let palette = palette(&colours);
    let places: HashMap<Colour, u8> =
        colours.iter().map(|(colour, _)| (*colour, nearest(&palette, *colour))).collect();
    let indices: Vec<u8> = pixels.iter().filter_map(|pixel| places.get(pixel).copied()).collect();
    let small = written(width, height, &palette, &indices)?;
    if small.len() > MOST_BYTES { Err(PictureError::TooLarge(small.len())) } else { Ok(small) }
}

/// The commonest colours, no two of which are nearly the same.
fn palette(colours: &[(Colour, usize)]) -> Vec<Colour> {
    let mut palette: Vec<Colour> = Vec::new();
    for close in [60, 12, 0] {
        for (colour, _) in colours {
            if palette.len() < COLOURS && palette.iter().all(|kept| distance(*kept, *colour) > close) {
                palette.push(*colour);
            }
        }
    }
    palette
}

fn nearest(palette: &[Colour], colour: Colour) -> u8 {
    let places = palette.iter().enumerate().min_by_key(|(_, kept)| distance(**kept, colour));
    places.and_then(|(place, _)| u8::try_from(place).ok()).unwrap_or_default()
}

fn distance(one: Colour, other: Colour) -> u32 {
    one.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

fn read(bytes: &[u8]) -> Result<(u32, u32, Vec<Colour>), PictureError> {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().map_err(PictureError::Read)?;
    let mut buffer = vec![0; reader.output_buffer_size().ok_or(PictureError::Kind)?];
    let info = reader.next_frame(&mut buffer).map_err(PictureError::Read)?;
    let channels = match (info.bit_depth, info.color_type) {
        (png::BitDepth::Eight, png::ColorType::Rgb) => 3,
        (png::BitDepth::Eight, png::ColorType::Rgba) => 4,
        _ => return Err(PictureError::Kind),
    };
    let pixels = buffer.chunks_exact(channels).filter_map(|pixel| pixel.first_chunk::<3>().copied());
    Ok((info.width, info.height, pixels.collect()))
}

fn written(width: u32, height: u32, palette: &[Colour], indices: &[u8]) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().map_err(PictureError::Write)?;
    writer.write_image_data(indices).map_err(PictureError::Write)?;
    writer.finish().map_err(PictureError::Write)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(colour: impl Fn(u32) -> Colour) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 100, 100);
        encoder.set_color(png::ColorType::Rgb);
        let pixels: Vec<u8> = (0..10_000).flat_map(colour).collect();
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        bytes
    }

    #[test]
    fn a_blank_picture_is_noticed() {
        assert!(matches!(small(&picture(|_| [9, 9, 9])), Err(PictureError::Blank { percent: 100, .. })));
        let nearly = picture(|at| if at < 100 { [u8::try_from(at).unwrap(), 0, 0] } else { [255; 3] });
        assert!(matches!(small(&nearly), Err(PictureError::Blank { .. })));
    }

    #[test]
    fn few_colours_stay_as_they_are() {
        let shade = |at: u32| [u8::try_from(at % 20 * 12).unwrap(), 40, 80];
        assert!(small(&picture(shade)).is_ok_and(|bytes| bytes.len() < 5_000));
        let mut palette = palette(&(0..20).map(|at| (shade(at), 500)).collect::<Vec<_>>());
        palette.sort_unstable();
        assert_eq!(palette, (0..20).map(shade).collect::<Vec<_>>());
    }
}
