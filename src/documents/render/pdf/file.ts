/** A PDF file of numbered objects. https://www.iso.org/standard/75839.html (ISO 32000-2, 7.3 and 7.5) */

export interface PdfFile {
  /** Returns the number that an object will have. */
  reserve(): number
  /** Writes an object; returns its number. */
  add(body: string, number?: number): number
  /** Writes a stream, deflated unless `dictionary` names a filter; returns its number. */
  stream(dictionary: string, bytes: Uint8Array<ArrayBuffer>): Promise<number>
  /** Returns the file. `root` and `info` are the numbers of the catalog and of what is known of the document. */
  end(root: number, info: number): Uint8Array<ArrayBuffer>
}

const ENCODER = new TextEncoder()

/** Returns the bytes in the zlib format. */
export async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'))
  return new Uint8Array(await new Response(packed).arrayBuffer())
}

export function createPdfFile(): PdfFile {
  const parts: Uint8Array[] = []
  const places: number[] = []
  let length = 0
  const put = (part: Uint8Array | string): void => {
    const bytes = typeof part === 'string' ? ENCODER.encode(part) : part
    parts.push(bytes)
    length += bytes.length
  }
  const reserve = (): number => places.push(0)
  const begin = (number: number): void => {
    places[number - 1] = length
    put(`${number} 0 obj\n`)
  }
  // The comment tells transports that the file is binary.
  put('%PDF-1.7\n%')
  put(new Uint8Array([0xe2, 0xe3, 0xcf, 0xd3, 0x0a]))

  return {
    reserve,
    add(body, number = reserve()) {
      begin(number)
      put(`${body}\nendobj\n`)
      return number
    },
    async stream(dictionary, bytes) {
      const filtered = dictionary.includes('/Filter')
      const data = filtered ? bytes : await deflate(bytes)
      const number = reserve()
      begin(number)
      put(`<< ${dictionary}${filtered ? '' : ' /Filter /FlateDecode'} /Length ${data.length} >>\nstream\n`)
      put(data)
      put('\nendstream\nendobj\n')
      return number
    },
    end(root, info) {
      const start = length
      const rows = places.map(at => `${String(at).padStart(10, '0')} 00000 n \n`)
      put(`xref\n0 ${places.length + 1}\n0000000000 65535 f \n${rows.join('')}`)
      put(`trailer\n<< /Size ${places.length + 1} /Root ${root} 0 R /Info ${info} 0 R >>\n`)
      put(`startxref\n${start}\n%%EOF\n`)
      const file = new Uint8Array(length)
      let at = 0
      for (const part of parts) {
        file.set(part, at)
        at += part.length
      }
      return file
    },
  }
}

/** Returns a number as PDF has them: no exponent, no more digits than can be seen. */
export const num = (value: number): string => String(Math.round(value * 1000) / 1000)

/** Returns the UTF-16 of a text as hexadecimal digits. */
export function utf16(text: string): string {
  let hex = ''
  for (let i = 0; i < text.length; i++) hex += text.charCodeAt(i).toString(16).padStart(4, '0')
  return hex
}

/** Returns a text string: UTF-16 with its mark, in hexadecimal. */
export const pdfText = (text: string): string => `<feff${utf16(text)}>`
