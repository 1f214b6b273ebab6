/** The operations that the server has. https://hl7.org/fhir/R4/operationslist.html */
import type { Context } from '../context.ts'
import { fhirError } from '../fhir/error.ts'
import { checkType } from '../interactions/identity.ts'
import { absent } from './absent.ts'
import { cancel, checkIn, complete, noShow } from './appointment-steps.ts'
import { book } from './book.ts'
import { bookSeries } from './book-series.ts'
import { bookTogether } from './book-together.ts'
import { calendarFeed } from './calendar-feed.ts'
import { compositionDocument, encounterDocument, patientDocument } from './document.ts'
import { sectionsDocument } from './document-from-sections.ts'
import { encounterEverything, patientEverything } from './everything.ts'
import { expand } from './expand.ts'
import { find } from './find.ts'
import { generateSlotsOperation } from './generate-slots.ts'
import { hold } from './hold.ts'
import { lastn } from './lastn.ts'
import { late } from './late.ts'
import { lookup } from './lookup.ts'
import { markPaid } from './mark-paid.ts'
import { meta, metaAdd, metaDelete } from './meta.ts'
import type { Level, Operation } from './operation.ts'
import { callNextToken, queue, queueStep, token } from './queue.ts'
import { reindex, reindexStatus } from './reindex.ts'
import { render } from './render.ts'
import { reschedule } from './reschedule.ts'
import { subsumes } from './subsumes.ts'
import { translate } from './translate.ts'
import { validate } from './validate.ts'
import {
  batchValidateCodeOfSet,
  batchValidateCodeOfSystem,
  validateCodeOfSet,
  validateCodeOfSystem,
} from './validate-code.ts'
import { verifyPin } from './verify-pin.ts'
import { waitlist } from './waitlist.ts'
import { walkIn } from './walk-in.ts'

/**
 * Every operation. The CapabilityStatement lists those of the system level under `rest.operation`, and those with `types` (or with levels
 * below the system) under `rest.resource.operation` of these types (of all, where `types` is undefined), each as `{name, definition}`.
 */
export const OPERATIONS: readonly Operation[] = [
  compositionDocument,
  encounterDocument,
  patientDocument,
  sectionsDocument,
  patientEverything,
  encounterEverything,
  find,
  generateSlotsOperation,
  hold,
  book,
  bookSeries,
  bookTogether,
  reschedule,
  cancel,
  checkIn,
  complete,
  noShow,
  verifyPin,
  markPaid,
  walkIn,
  waitlist,
  lastn,
  meta,
  metaAdd,
  metaDelete,
  token,
  queue,
  callNextToken,
  queueStep,
  absent,
  late,
  calendarFeed,
  reindex,
  reindexStatus,
  validate,
  render,
  lookup,
  validateCodeOfSystem,
  batchValidateCodeOfSystem,
  subsumes,
  expand,
  validateCodeOfSet,
  batchValidateCodeOfSet,
  translate,
]

/**
 * Returns the operation of this name at this place.
 *
 * Throws `not-supported` (404) where there is none, naming where it is served if it is served elsewhere, and for an unknown type.
 */
export function operationAt(ctx: Context, name: string, level: Level, type: string): Operation {
  if (type !== '') checkType(ctx, type)
  const named = OPERATIONS.filter(operation => operation.name === name)
  const found = named.find(
    ({ levels, types }) => levels.includes(level) && (types === undefined || types.includes(type)),
  )
  if (found !== undefined) return found
  const where = named.flatMap(({ types, levels }) => levels.map(one => placeOf(types?.[0] ?? '[type]', one)))
  const why =
    where.length === 0
      ? 'There is no operation of this name here.'
      : `$${name} is no operation here; it is one at ${where.map(path => `${path}/$${name}`).join(', ')}.`
  throw fhirError('not-supported', why, { status: 404 })
}

const placeOf = (type: string, level: Level): string =>
  ({ system: '', type, instance: `${type}/[id]`, version: `${type}/[id]/_history/[version]` })[level]
