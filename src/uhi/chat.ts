/** Chats as Communications, both ways. Pure. */
import type { JsonObject, Resource } from '../fhir/json.ts'
import { fromBase64, toBase64 } from '../lib/base64.ts'
import { instantOf } from '../search/busy.ts'
import { UHI } from './codes.ts'
import {
  codingOf,
  genderOf,
  identifierOf,
  keyIn,
  letterOf,
  objects,
  photoOf,
  present,
  reference,
  some,
  text,
} from './elements.ts'
import { UhiError } from './error.ts'
import { nameText } from './from-fhir-catalog.ts'
import type { Chat } from './order.ts'
import { instantOfLocal, localAt } from './time.ts'

export interface ChatKeys {
  appointment: string | undefined
  subject: string | undefined
  sender: string
  receiver: string
}

type Content = NonNullable<Chat['content']>
type Person = NonNullable<NonNullable<Chat['sender']>['person']>

const CONTENT = '/message/intent/chat/content'

/**
 * Returns the Communication of a chat. Text is kept as text, a file as an attachment.
 *
 * Throws `UHI-1404` for a text that is not UTF-8.
 */
export function communicationOf(chat: Chat, keys: ChatKeys): Resource {
  const { content, time } = chat
  const payload = content && payloadOf(content)
  return {
    resourceType: 'Communication',
    ...(content?.content_id !== undefined && {
      identifier: [{ system: UHI.chat, value: content.content_id }],
    }),
    status: 'completed',
    category: [{ coding: [{ system: UHI.category, code: 'chat' }] }],
    ...(keys.subject !== undefined && { subject: reference(keys.subject) }),
    ...(keys.appointment !== undefined && { about: [reference(keys.appointment)] }),
    ...(time?.timestamp !== undefined && { sent: instantOfLocal(time.timestamp) }),
    recipient: [reference(keys.receiver)],
    sender: reference(keys.sender),
    ...(payload !== undefined && { payload: [payload] }),
  }
}

function payloadOf({
  content_type: type,
  content_value: value,
  content_mimeType,
  content_fileName,
}: Content): JsonObject | undefined {
  if (value === undefined) return undefined
  if (type === 'media')
    return {
      contentAttachment: present({
        contentType: content_mimeType,
        data: value,
        title: content_fileName,
      }) as JsonObject,
    }
  try {
    const bytes = fromBase64(value) ?? new Uint8Array()
    return { contentString: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    throw new UhiError('UHI-1404', `${CONTENT}/content_value`, 'THE TEXT IS NOT UTF-8')
  }
}

/** Returns the chat of a Communication between two people. */
export function chatFrom(communication: Resource, sender: Resource, receiver: Resource): Chat {
  const payload = objects(communication.payload)[0]
  const attachment = objects([payload?.contentAttachment ?? null])[0]
  const said = text(payload?.contentString)
  const at = instantOf(communication.sent)
  return present({
    sender: wrapped(personFrom(sender)),
    receiver: wrapped(personFrom(receiver)),
    content: some(
      present({
        content_id: identifierOf(communication, UHI.chat),
        content_value: said === undefined ? text(attachment?.data) : toBase64(new TextEncoder().encode(said)),
        content_type: payload === undefined ? undefined : said === undefined ? 'media' : 'text',
        content_mimeType: text(attachment?.contentType),
        content_fileName: text(attachment?.title),
      }),
    ),
    time: at === undefined ? undefined : { timestamp: localAt(at) },
  }) as Chat
}

const wrapped = (person: Person | undefined) => (person === undefined ? undefined : { person })

function personFrom(resource: Resource): Person | undefined {
  const photo = objects(resource.photo)[0]
  const name = objects(resource.name)[0]
  const isAddress = (value: string) => value.includes('@')
  const system = resource.resourceType === 'Practitioner' ? UHI.hpr : UHI.abha
  return some(
    present({
      id: identifierOf(resource, system, isAddress) ?? identifierOf(resource, system),
      name: name && nameText(name),
      gender: letterOf(resource.gender),
      image: text(photo?.url) ?? text(photo?.data),
    }),
  ) as Person | undefined
}

/** Returns a person of a chat as a resource. */
export const personOf = (person: Person | undefined, resourceType: 'Patient' | 'Practitioner'): Resource => ({
  resourceType,
  ...(person?.id !== undefined && {
    identifier: [{ system: resourceType === 'Practitioner' ? UHI.hpr : UHI.abha, value: person.id }],
  }),
  ...(person?.name !== undefined && { name: [{ text: person.name }] }),
  ...(person?.gender !== undefined && { gender: genderOf(person.gender) }),
  ...(person?.image !== undefined && {
    photo: [photoOf(person.image)],
  }),
})

/** Returns whether a Communication is a chat of UHI. */
export const isChat = (communication: Resource): boolean =>
  objects(communication.category).some(one => codingOf(one, UHI.category)?.code === 'chat')

/** Returns the keys of sender and first recipient. */
export const partiesOf = (
  communication: Resource,
): { sender: string | undefined; receiver: string | undefined } => ({
  sender: keyIn(communication.sender),
  receiver: keyIn(objects(communication.recipient)[0]),
})
