/** Texts in Hindi. */
import type { Texts } from '../template.ts'

const WHO = '[ डॉक्टर: {practitioner}।][ स्थान: {facility}।]'
const MORE = '[ टोकन: {token}।][ जुड़ने के लिए लिंक: {link}]'

export const HI: Texts = {
  booked: {
    subject: 'अपॉइंटमेंट बुक हो गया: {when}',
    text: `{patient} का अपॉइंटमेंट बुक हो गया है। समय: {when}।${WHO}${MORE}`,
    email:
      'नमस्ते {name},\n\nअपॉइंटमेंट बुक हो गया है।\n\nमरीज़: {patient}\n[डॉक्टर: {practitioner}\n][स्थान: {facility}\n]समय: {when}\n[टोकन: {token}\n][जुड़ने के लिए लिंक: {link}\n]\nकैलेंडर की प्रविष्टि साथ में भेजी गई है।\n',
  },
  rescheduled: {
    subject: 'अपॉइंटमेंट का नया समय: {when}',
    text: `{patient} के अपॉइंटमेंट का समय बदल गया है। नया समय: {when}।[ पहले का समय: {oldWhen}।]${WHO}${MORE}`,
    email:
      'नमस्ते {name},\n\nअपॉइंटमेंट का समय बदल गया है।\n\nमरीज़: {patient}\n[डॉक्टर: {practitioner}\n][स्थान: {facility}\n]नया समय: {when}\n[पहले का समय: {oldWhen}\n][टोकन: {token}\n][जुड़ने के लिए लिंक: {link}\n]\nकैलेंडर की नई प्रविष्टि साथ में भेजी गई है।\n',
  },
  cancelled: {
    subject: 'अपॉइंटमेंट रद्द हो गया: {when}',
    text: `{patient} का अपॉइंटमेंट रद्द हो गया है। समय था: {when}।${WHO} दूसरे समय के लिए कृपया क्लिनिक से संपर्क करें।`,
  },
  'no-show': {
    subject: 'आप अपॉइंटमेंट पर नहीं आ सके: {when}',
    text: '{patient} का अपॉइंटमेंट {when} का था, पर वे नहीं आ सके। दूसरे समय के लिए कृपया क्लिनिक से संपर्क करें।',
  },
  'reminder-24h': {
    subject: 'याद दिलाने के लिए: अपॉइंटमेंट {when}',
    text: `याद दिलाने के लिए: {patient} का अपॉइंटमेंट है। समय: {when}।${WHO}${MORE}`,
  },
  'reminder-1h': {
    subject: 'याद दिलाने के लिए: अपॉइंटमेंट {time}',
    text: `याद दिलाने के लिए: {patient} का अपॉइंटमेंट अब से थोड़ी देर में है। समय: {when}।${WHO}${MORE}`,
  },
  'follow-up': {
    subject: 'आपकी विज़िट के बाद',
    text: '{patient} की विज़िट के लिए धन्यवाद।[ स्थान: {facility}।] कृपया दी गई सलाह का पालन करें। कुछ समझ में न आए या तबीयत बिगड़े तो क्लिनिक से संपर्क करें।',
  },
  feedback: {
    subject: 'आपका अनुभव कैसा रहा?',
    text: '{patient} की विज़िट कैसी रही?[ स्थान: {facility}।][ कृपया यहाँ बताएँ: {link}]',
  },
  'queue.fifth': { subject: 'टोकन {token}', text: 'टोकन {token}: अब आपसे पहले चार लोग हैं। कृपया पास ही रहें।' },
  'queue.next': { subject: 'टोकन {token}', text: 'टोकन {token}: अगली बारी आपकी है।' },
  'queue.called': { subject: 'टोकन {token}', text: 'टोकन {token}: आपको बुलाया जा रहा है, कृपया अंदर आएँ।' },
  'waitlist-offer': {
    subject: 'एक समय खाली है: {when}',
    text: `{patient} के लिए एक समय खाली है: {when}।${WHO}[ कृपया {until} से पहले उत्तर दें।][ यहाँ उत्तर दें: {link}]`,
  },
  'doctor-late': {
    subject: 'डॉक्टर को देर हो रही है',
    text: '{patient} का {when} का अपॉइंटमेंट देर से शुरू होगा।[ डॉक्टर: {practitioner}।][ देरी: लगभग {delay} मिनट।][ अनुमानित समय: {expected}।] असुविधा के लिए खेद है।',
  },
  'doctor-absent': {
    subject: 'डॉक्टर उपलब्ध नहीं हैं: {oldWhen}',
    text: '{patient} का {oldWhen} का अपॉइंटमेंट नहीं हो पाएगा, क्योंकि डॉक्टर उपलब्ध नहीं हैं।[ डॉक्टर: {practitioner}।][ नया समय: {newWhen}।] किसी भी प्रश्न के लिए कृपया क्लिनिक से संपर्क करें।',
  },
  pin: {
    subject: 'आपका पिन',
    text: '{patient} की विज़िट का पिन {pin} है।[ समय: {when}।] इसे केवल क्लिनिक में दिखाएँ।',
  },
  message: { subject: 'क्लिनिक का संदेश', text: '{text}' },
}
