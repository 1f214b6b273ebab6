/**
 * Stored resources in the form that the NRCeS profiles ask for. What a profile requires and the store has elsewhere is put in its place;
 * nothing is made up, and what is not there is said. docs/documents.md lists every change.
 */
import type { Context } from '../context.ts'
import { copyJson, type JsonObject, type Resource } from '../fhir/json.ts'
import { object, objects, text } from '../fhir/tree.ts'
import { eachConcept, fitConcept } from './adapt-codings.ts'
import { fitIdentifiers, fitNames, fitTelecoms } from './adapt-identifiers.ts'
import { CODINGS } from './codings.ts'
import type { Missing } from './missing.ts'
import { sayNeeds } from './needs.ts'
import { isFileOfAnother, type Subject } from './references.ts'
import { keyIn, type Library, type Source } from './source.ts'

/** Returns the display of a code, undefined where nobody here knows it. */
export type Display = (system: string, code: string) => Promise<string | undefined>

export interface Adapting {
  ctx: Context
  library: Library
  subject: Subject
  display: Display
  missing: Missing
}

/** Changes the tree of a source to what the profile takes, and says what is missing. `profile` is the profile's name. */
export async function adapt(source: Source, profile: string | undefined, by: Adapting): Promise<void> {
  const { tree, type, key } = source
  await SHAPES[type]?.(tree, by)
  if (profile === undefined) return
  for (const [way, rule] of Object.entries(
    CODINGS[profile.startsWith('Observation') ? 'Observation' : profile] ?? {},
  ))
    await eachConcept(tree, way.split('.'), type, async (concept, place) => {
      const lack = await fitConcept(concept, rule, by.display)
      if (lack !== undefined) by.missing.say(key, place, `${profile}.${way}.coding`, lack)
    })
  sayNeeds(tree, profile, key, by.missing)
}

type Shape = (tree: Resource, by: Adapting) => Promise<void>

/** What is to be done by type before codings are looked at. */
const SHAPES: Readonly<Record<string, Shape>> = {
  async Patient(tree, { display }) {
    await fitIdentifiers(tree, display)
    fitNames(tree)
    fitTelecoms(tree)
    // A picture is for the record of the patient, and the profiles want its bytes.
    fitAttachments(tree, 'photo')
  },
  async Practitioner(tree, { display }) {
    await fitIdentifiers(tree, display)
    fitNames(tree)
    fitTelecoms(tree)
    fitAttachments(tree, 'photo')
    // A document goes to patients and to other hospitals: where a doctor lives, and since when, is none of its matter.
    delete tree.birthDate
    delete tree._birthDate
    for (const name of ['address', 'telecom']) {
      const kept = objects(tree[name]).filter(({ use }) => use !== 'home')
      if (kept.length > 0) tree[name] = kept
      else delete tree[name]
    }
  },
  async PractitionerRole(tree, { display }) {
    await fitIdentifiers(tree, display)
    fitTelecoms(tree)
  },
  async Organization(tree, { display }) {
    await fitIdentifiers(tree, display, true)
    fitTelecoms(tree)
  },
  async MedicationRequest(tree, by) {
    await fitMedication(tree, by)
  },
  async MedicationStatement(tree, by) {
    await fitMedication(tree, by)
  },
  async DocumentReference(tree, by) {
    for (const content of objects(tree.content)) {
      const attachment = object(content.attachment)
      if (attachment !== undefined) await fillAttachment(attachment, by)
    }
  },
  async DiagnosticReport(tree, by) {
    for (const form of objects(tree.presentedForm)) await fillAttachment(form, by)
    fitAttachments(tree, 'presentedForm')
  },
  async Media(tree, by) {
    const content = object(tree.content)
    if (content !== undefined) await fillAttachment(content, by)
  },
  async Invoice(tree, by) {
    // The profile has room for one.
    const identifiers = objects(tree.identifier).filter(one => text(one.value) !== undefined)
    if (identifiers.length > 0)
      tree.identifier = [identifiers.find(one => one.use === 'official') ?? identifiers[0]!]
    for (const item of objects(tree.lineItem)) await fitCharge(item, by)
  },
}

/** The profiles have no medicationReference: the code of the Medication says the same. */
async function fitMedication(tree: Resource, { ctx, library }: Adapting): Promise<void> {
  const reference = object(tree.medicationReference)
  if (reference === undefined) return
  const named = text(reference.reference)
  const contained = objects(tree.contained).find(one => `#${text(one.id)}` === named)
  const key = keyIn(ctx, named)
  const medication = contained ?? (key === undefined ? undefined : (await library.take([key]))[0]?.tree)
  const concept =
    object(medication?.code) ?? (reference.display === undefined ? undefined : { text: reference.display })
  if (concept === undefined) return
  delete tree.medicationReference
  tree.medicationCodeableConcept = copyJson(concept)
}

/** Fills in the bytes of an attachment whose url names a Binary of this server. */
async function fillAttachment(attachment: JsonObject, { ctx, library, subject }: Adapting): Promise<void> {
  if (typeof attachment.data === 'string') return
  const key = keyIn(ctx, attachment.url)
  if (key === undefined || !key.startsWith('Binary/')) return
  const [source] = await library.take([key])
  if (source === undefined || (await isFileOfAnother(ctx, library, source, subject))) return
  const binary = source.tree
  if (typeof binary.data !== 'string') return
  attachment.contentType ??= binary.contentType
  attachment.data = binary.data
  delete attachment.url
}

/** Leaves out attachments that do not say their type or whose bytes are not here: the profiles refuse them. */
function fitAttachments(tree: JsonObject, name: string): void {
  const kept = objects(tree[name]).filter(
    one => typeof one.contentType === 'string' && typeof one.data === 'string',
  )
  if (kept.length > 0) tree[name] = kept
  else delete tree[name]
}

/** A charge that its own profile refuses is named by its code alone, which the line of an invoice may hold as well. */
async function fitCharge(item: JsonObject, { ctx, library }: Adapting): Promise<void> {
  const key = keyIn(ctx, object(item.chargeItemReference)?.reference)
  const charge = key === undefined ? undefined : (await library.take([key]))[0]?.tree
  if (charge === undefined) return
  const code = object(charge.code)
  const whole = objects(code?.coding).some(one =>
    [one.system, one.code, one.display].every(of => typeof of === 'string'),
  )
  const isSound =
    whole &&
    charge.quantity !== undefined &&
    (charge.productReference !== undefined || charge.productCodeableConcept !== undefined)
  if (isSound || code === undefined) return
  delete item.chargeItemReference
  item.chargeItemCodeableConcept = copyJson(code)
}
