/**
 * Text in base64, hex, and as HTML or JSON have it; undefined for another format, and for what cannot be read.
 * http://build.fhir.org/ig/HL7/FHIRPath/#additional-string-functions
 */
const UTF8 = new TextDecoder('utf-8', { fatal: true })
/** Bytes that are turned into characters at a time. */
const CHUNK = 4096

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK)
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  return btoa(binary)
}

export function encode(value: string, format: string): string | undefined {
  const bytes = new TextEncoder().encode(value)
  if (format === 'hex') return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
  if (format === 'base64') return toBase64(bytes)
  if (format === 'urlbase64') return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_')
  return undefined
}

export function decode(value: string, format: string): string | undefined {
  try {
    if (format === 'hex') {
      if (!/^(?:[0-9a-fA-F]{2})*$/.test(value)) return undefined
      return UTF8.decode(Uint8Array.from(value.match(/../g) ?? [], pair => Number.parseInt(pair, 16)))
    }
    if (format !== 'base64' && format !== 'urlbase64') return undefined
    const plain = format === 'base64' ? value : value.replaceAll('-', '+').replaceAll('_', '/')
    return UTF8.decode(Uint8Array.from(atob(plain), character => character.charCodeAt(0)))
  } catch {
    return undefined
  }
}

const ENTITIES: readonly [string, string][] = [
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]

const JSON_ESCAPES = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

export function escaped(value: string, format: string): string | undefined {
  if (format === 'json') return JSON.stringify(value).slice(1, -1)
  if (format !== 'html') return undefined
  let result = value
  for (const [character, entity] of ENTITIES) result = result.replaceAll(character, entity)
  return result
}

export function unescaped(value: string, format: string): string | undefined {
  if (format === 'json')
    return value.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, hex: string | undefined, sign: string) =>
      hex === undefined ? (JSON_ESCAPES.get(sign) ?? sign) : String.fromCharCode(Number.parseInt(hex, 16)),
    )
  if (format !== 'html') return undefined
  let result = value.replaceAll('&#39;', "'").replaceAll('&apos;', "'")
  for (const [character, entity] of [...ENTITIES].reverse()) result = result.replaceAll(entity, character)
  return result
}
