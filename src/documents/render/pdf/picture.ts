/**
 * Images as PDF holds them: JPEG as it is, PNG with its own compression, or unpacked where it has transparency.
 * https://www.w3.org/TR/png-3/, https://www.w3.org/Graphics/JPEG/itu-t81.pdf
 */
import type { Picture } from '../sheet.ts'
import type { PdfFile } from './file.ts'

export interface Embedded {
  /** Number of the object. */
  object: number
  width: number
  height: number
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Returns width and height in pixels; undefined for what is no image that a PDF can hold. */
export function pixelsOf({
  contentType,
  bytes,
}: Pick<Picture, 'contentType' | 'bytes'>): { width: number; height: number } | undefined {
  const found = contentType === 'image/png' ? readPng(bytes) : readJpeg(bytes)
  return found && found.width > 0 && found.height > 0 ? found : undefined
}

/** Returns the image as an object of the file; undefined for what cannot be read. */
export async function embedPicture(file: PdfFile, picture: Picture): Promise<Embedded | undefined> {
  if (picture.contentType === 'image/jpeg') {
    const jpeg = readJpeg(picture.bytes)
    if (jpeg === undefined) return undefined
    const { width, height, components } = jpeg
    const space = { 1: '/DeviceGray', 3: '/DeviceRGB', 4: '/DeviceCMYK' }[components]
    if (space === undefined) return undefined
    // Adobe writes the four inks inverted.
    const decode = components === 4 ? ' /Decode [1 0 1 0 1 0 1 0]' : ''
    const object = await file.stream(
      `${image(width, height, 8, space)}${decode} /Filter /DCTDecode`,
      picture.bytes,
    )
    return { object, width, height }
  }
  const png = readPng(picture.bytes)
  return png && embedPng(file, png)
}

const image = (width: number, height: number, bits: number, space: string): string =>
  `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /BitsPerComponent ${bits} /ColorSpace ${space}`

interface Jpeg {
  width: number
  height: number
  components: number
}

function readJpeg(bytes: Uint8Array): Jpeg | undefined {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined
  const view = viewOf(bytes)
  for (let at = 2; at + 10 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return undefined
    const marker = bytes[at + 1]!
    if (marker === 0xff) {
      at++
      continue
    }
    const frame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (frame)
      return {
        height: view.getUint16(at + 5),
        width: view.getUint16(at + 7),
        components: bytes[at + 9]!,
      }
    at += 2 + view.getUint16(at + 2)
  }
  return undefined
}

interface Png {
  width: number
  height: number
  bits: number
  /** 0 grey, 2 colours, 3 palette, 4 grey with alpha, 6 colours with alpha. */
  color: number
  palette: Uint8Array | undefined
  data: Uint8Array<ArrayBuffer>
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

function readPng(bytes: Uint8Array): Png | undefined {
  if (bytes.length < 33 || SIGNATURE.some((byte, i) => bytes[i] !== byte)) return undefined
  const view = viewOf(bytes)
  const [bits, color, , , interlaced] = bytes.subarray(24, 29) as unknown as number[]
  if (CHANNELS[color!] === undefined || interlaced !== 0) return undefined
  const parts: Uint8Array<ArrayBuffer>[] = []
  let palette: Uint8Array | undefined
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at)
    const tag = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    const body = bytes.slice(at + 8, at + 8 + length)
    if (tag === 'PLTE') palette = body
    if (tag === 'IDAT') parts.push(body)
    at += 12 + length
  }
  if (parts.length === 0 || (color === 3 && palette === undefined)) return undefined
  const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let end = 0
  for (const part of parts) {
    data.set(part, end)
    end += part.length
  }
  return {
    width: view.getUint32(16),
    height: view.getUint32(20),
    bits: bits!,
    color: color!,
    palette,
    data,
  }
}

async function embedPng(file: PdfFile, png: Png): Promise<Embedded | undefined> {
  const { width, height, bits, color, palette, data } = png
  if (color === 4 || color === 6) return embedAlpha(file, png)
  const channels = CHANNELS[color]!
  const space =
    color === 3
      ? `[/Indexed /DeviceRGB ${palette!.length / 3 - 1} <${hex(palette!)}>]`
      : color === 2
        ? '/DeviceRGB'
        : '/DeviceGray'
  const parameters = `/DecodeParms << /Predictor 15 /Colors ${channels} /BitsPerComponent ${bits} /Columns ${width} >>`
  const object = await file.stream(
    `${image(width, height, bits, space)} /Filter /FlateDecode ${parameters}`,
    data,
  )
  return { object, width, height }
}

const hex = (bytes: Uint8Array): string => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')

/** Transparency is an image of its own in a PDF. */
async function embedAlpha(file: PdfFile, png: Png): Promise<Embedded | undefined> {
  const { width, height, bits } = png
  const channels = CHANNELS[png.color]!
  const sample = bits / 8
  if (sample !== 1 && sample !== 2) return undefined
  const pixel = channels * sample
  const rows = await unpacked(png.data, height * (1 + width * pixel))
  if (rows === undefined) return undefined
  unfilter(rows, width * pixel, height, pixel)
  const inks = channels - 1
  const colors = new Uint8Array(width * height * inks)
  const alpha = new Uint8Array(width * height)
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0, at = y * (1 + width * pixel) + 1; x < width; x++, i++, at += pixel) {
      for (let ink = 0; ink < inks; ink++) colors[i * inks + ink] = rows[at + ink * sample]!
      alpha[i] = rows[at + inks * sample]!
    }
  const mask = await file.stream(image(width, height, 8, '/DeviceGray'), alpha)
  const space = inks === 1 ? '/DeviceGray' : '/DeviceRGB'
  const object = await file.stream(`${image(width, height, 8, space)} /SMask ${mask} 0 R`, colors)
  return { object, width, height }
}

/** Returns exactly so many bytes; undefined where there are others, or they are no zlib. More is never unpacked. */
async function unpacked(data: Uint8Array<ArrayBuffer>, size: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(size)
  const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream('deflate')).getReader()
  let end = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return end === size ? bytes : undefined
      if (end + value.length > size) return undefined
      bytes.set(value, end)
      end += value.length
    }
  } catch {
    return undefined
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** Undoes the filters of the rows in place. https://www.w3.org/TR/png-3/#9Filters */
function unfilter(rows: Uint8Array, width: number, height: number, pixel: number): void {
  for (let y = 0; y < height; y++) {
    const start = y * (width + 1) + 1
    const filter = rows[start - 1]
    for (let x = 0; x < width; x++) {
      const left = x >= pixel ? rows[start + x - pixel]! : 0
      const up = y > 0 ? rows[start + x - width - 1]! : 0
      const corner = x >= pixel && y > 0 ? rows[start + x - width - 1 - pixel]! : 0
      rows[start + x]! += [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter!] ?? 0
    }
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  return a <= b && a <= c ? left : b <= c ? up : corner
}
