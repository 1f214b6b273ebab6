/** Base64 without Node's Buffer. https://www.rfc-editor.org/rfc/rfc4648#section-4 */

/** A multiple of 3, so that pieces join without padding between them. */
const PIECE = 0x7ffe

/** Returns the bytes as base64 with padding and without line breaks. */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += PIECE)
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE)))
  return text
}

/** Returns the bytes of base64, white space allowed; undefined where it is not base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const binary = atob(text)
    const bytes = new Uint8Array(binary.length)
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
    return bytes
  } catch {
    return undefined
  }
}
