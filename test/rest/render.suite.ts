/** `$render`: documents as HTML and PDF, from every home of the server. https://hl7.org/fhir/R4/documents.html#presentation */
import { beforeAll, describe, expect, it } from 'vitest'
import { writeJson } from '../../src/fhir/json.ts'
import { consultation } from '../documents/render/documents.ts'
import { openPdf, pageText } from '../documents/render/painted.ts'
import { type Api, refused } from './client.ts'

export function renderSuite(api: () => Api): void {
  describe('$render', () => {
    const document = () => writeJson(consultation())
    let path = ''
    beforeAll(async () => {
      const made = await api().post('Bundle', document())
      expect(made.status, made.text).toBe(201)
      path = `Bundle/${made.body.id}/$render`
    })

    const bytes = async (url: string, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${api().base}/${url}`, { headers })
      return { answer, data: new Uint8Array(await answer.arrayBuffer()) }
    }

    it('answers a stored document as a page that runs nothing', async () => {
      const { answer, data } = await bytes(`${path}?_format=html`)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(answer.headers.get('content-disposition')).toMatch(/^inline; filename="[A-Za-z0-9.-]+\.html"$/)
      const page = new TextDecoder().decode(data)
      expect(page).toContain('മീര കൃഷ്ണൻ')
      expect(page).toContain('14 Mar 2026, 10:30 am')
    })

    it('answers it as a PDF, by Accept too', async () => {
      for (const { answer, data } of [
        await bytes(`${path}?_format=pdf`),
        await bytes(path, { accept: 'application/pdf' }),
      ]) {
        expect(answer.status).toBe(200)
        expect(answer.headers.get('content-type')).toBe('application/pdf')
        expect(answer.headers.get('content-disposition')).toMatch(/^inline; filename="[A-Za-z0-9.-]+\.pdf"$/)
        expect(await pageText(await openPdf(data), 1)).toContain('ദിവസം 3 നേരം ഭക്ഷണത്തിനു ശേഷം')
      }
    })

    it('answers a Binary to those who ask for JSON: of PDF, or of what they name', async () => {
      const pdf = await api().get(path)
      expect(pdf.body).toMatchObject({ resourceType: 'Binary', contentType: 'application/pdf' })
      expect(atob(pdf.body.data).slice(0, 5)).toBe('%PDF-')
      const html = await api().get(`${path}?as=html`)
      expect(html.body).toMatchObject({ resourceType: 'Binary', contentType: 'text/html' })
      refused(await api().get(`${path}?as=docx`), 400)
    })

    it('renders a document that is sent and not stored', async () => {
      const sent = await api().post('Bundle/$render', document(), { accept: 'text/html' })
      expect(sent.status).toBe(200)
      expect(sent.text).toContain('Meera Krishnan')
      const parameters = {
        resourceType: 'Parameters',
        parameter: [{ name: 'resource', resource: JSON.parse(document()) }],
      }
      expect((await api().post('Bundle/$render', parameters, { accept: 'text/html' })).text).toBe(sent.text)
    })

    it('refuses what is no document, what is not there, and no document at all', async () => {
      refused(await api().post('Bundle/$render', { resourceType: 'Bundle', type: 'collection' }), 422)
      refused(await api().get('Bundle/none-such/$render?_format=html'), 404)
      refused(await api().post('Bundle/$render', { resourceType: 'Parameters' }), 400)
      refused(await api().post(path, document()), 400)
    })
  })
}
