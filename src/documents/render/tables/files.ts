/** Attachments: images are shown, other files named. https://hl7.org/fhir/R4/datatypes.html#attachment */
import { fhirError } from '../../../fhir/error.ts'
import type { JsonObject } from '../../../fhir/json.ts'
import { fromBase64 } from '../../../lib/base64.ts'
import { pixelsOf } from '../pdf/picture.ts'
import { type Reading, referencesText, standingOf } from '../reading.ts'
import type { Block, Line } from '../sheet.ts'
import { all, joined, known, one, text } from '../tree.ts'
import { timeText } from '../when.ts'
import { conceptText } from '../words.ts'

/** Returns a document, image or file that the record holds: its attachments, with what they are. */
export function attachments(reading: Reading, resource: JsonObject): Block[] {
  const { wrong, lines } = standingOf(resource)
  const type = text(resource, 'resourceType')
  const held =
    type === 'Binary'
      ? [resource]
      : type === 'DiagnosticReport'
        ? all(resource, 'presentedForm')
        : type === 'Media'
          ? all(resource, 'content')
          : all(resource, 'content').flatMap(content => all(content, 'attachment'))
  if (held.length === 0 && type === 'DiagnosticReport') return []
  const title =
    text(resource, 'description') ??
    conceptText(one(resource, 'type')) ??
    conceptText(one(resource, 'modality'))
  const about: Line[] = []
  if (type === 'DocumentReference' || type === 'Media') {
    const by = referencesText(reading, all(resource, 'author'), resource)
    const when = timeText(text(resource, 'date') ?? text(resource, 'createdDateTime'), reading.zone)
    about.push([{ text: title ?? 'Document', bold: true, struck: wrong }])
    const more = joined([when, by && `by ${by}`])
    if (more !== undefined) about.push([{ text: more, tone: 'muted' }])
    about.push(...lines)
  }
  return [
    ...(about.length === 0 ? [] : [{ kind: 'text' as const, lines: about }]),
    // What is wrong is named and not shown.
    ...held.flatMap(attachment => attachmentBlocks(reading, attachment, wrong)),
  ]
}

function attachmentBlocks(reading: Reading, attachment: JsonObject, wrong: boolean): Block[] {
  const contentType = (text(attachment, 'contentType') ?? '').toLowerCase().split(';')[0]!.trim()
  const data = text(attachment, 'data')
  const name = text(attachment, 'title')
  if (!wrong && data !== undefined && (contentType === 'image/png' || contentType === 'image/jpeg')) {
    const { limits } = reading
    reading.imageBytes += Math.floor((data.length * 3) / 4)
    if (reading.imageBytes > limits.imageBytes)
      throw fhirError('too-costly', `The images of the document have more than ${limits.imageBytes} bytes.`)
    const bytes = fromBase64(data)
    const pixels = bytes && pixelsOf({ contentType, bytes })
    if (pixels !== undefined && pixels.width * pixels.height <= limits.pixels)
      return [{ kind: 'image', contentType, bytes: bytes!, caption: name ?? 'Image' }]
  }
  if (!wrong && data !== undefined && contentType === 'text/plain') {
    const bytes = fromBase64(data)
    if (bytes !== undefined)
      return [
        {
          kind: 'text',
          lines: new TextDecoder()
            .decode(bytes)
            .split(/\r\n|\r|\n/)
            .map((each): Line => [{ text: each }]),
        },
      ]
  }
  const size = data === undefined ? text(attachment, 'size') : String(Math.floor((data.length * 3) / 4))
  const facts = joined([
    kindOf(contentType),
    size && sizeText(Number(size)),
    timeText(text(attachment, 'creation'), reading.zone),
    data === undefined ? 'not in this document' : 'in the record',
  ])
  return [
    {
      kind: 'list',
      items: [[[{ text: name ?? 'File' }, { text: ` (${facts})`, tone: 'muted' }]]],
    },
  ]
}

const KINDS: Record<string, string> = {
  'application/pdf': 'PDF',
  'application/dicom': 'DICOM image',
  'image/jpeg': 'JPEG image that cannot be shown',
  'image/png': 'PNG image that cannot be shown',
}
const kindOf = (contentType: string): string => known(KINDS, contentType) ?? (contentType || 'unknown type')

const sizeText = (bytes: number): string =>
  bytes >= 1_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1000))} kB`
