/** The style of the page, on the screen and on A4 paper. */

/** Latin is set in what the reader's device has; the scripts of India come with the page (web-fonts.ts). */
export const FAMILIES = '"Noto Sans","Nirmala UI","Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif'

export const STYLE = `
:root{--ink:#1a1c21;--muted:#5e6670;--accent:#0b4f61;--tint:#ecf4f6;--rule:#ccd3d9;--alert:#b01017}
*{box-sizing:border-box}
body{margin:0;background:#e9edef;color:var(--ink);font:14px/1.5 sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
main{max-width:820px;margin:24px auto;padding:40px 48px 28px;background:#fff;box-shadow:0 1px 6px #0003}
p{margin:0}
.letterhead{display:flex;justify-content:space-between;gap:24px;padding-bottom:12px;border-bottom:3px solid var(--accent);color:var(--muted);font-size:13px}
.letterhead .name{color:var(--accent);font-size:25px;font-weight:700;line-height:1.25}
.marks{text-align:right;padding-top:6px;overflow-wrap:anywhere}
.notice{margin-top:14px;padding:8px 12px;border-left:4px solid var(--alert);background:#fdeeee;color:var(--alert);font-weight:700}
.title{display:flex;justify-content:space-between;align-items:baseline;gap:16px;margin:16px 0 10px}
.title p{color:var(--muted)}
h1{margin:0;font-size:20px}
h2{margin:22px 0 8px;padding-bottom:3px;border-bottom:1px solid var(--accent);color:var(--accent);font-size:16px}
h3,h4,h5,h6{margin:14px 0 6px;color:var(--accent);font-size:14px}
.heading{margin:12px 0 4px;font-weight:700}
.facts{display:grid;grid-template-columns:1fr 1fr;grid-auto-flow:column;grid-template-rows:repeat(var(--rows),auto);gap:3px 24px;margin:8px 0}
.facts>div{display:grid;grid-template-columns:104px 1fr;gap:8px;min-width:0}
.facts dt{color:var(--muted);font-size:13px;line-height:1.62}
.facts dd{margin:0;min-width:0}
.patient{padding:12px 14px;background:var(--tint);border-radius:4px}
.wide{overflow-x:auto;margin:6px 0 12px}
table{width:100%;border-collapse:collapse;font-size:13px}
th{background:var(--tint);color:var(--accent);text-align:left;font-size:12px;vertical-align:bottom}
th,td{padding:6px 8px}
td{border-bottom:1px solid var(--rule);vertical-align:top}
.right{text-align:right}
td.right{white-space:nowrap}
.total td{border-top:2px solid var(--accent);font-weight:700}
.muted{color:var(--muted)}
.alert{color:var(--alert)}
ul{margin:6px 0;padding-left:22px}
figure{margin:10px 0}
img{max-width:100%;max-height:640px;display:block}
figcaption{color:var(--muted);font-size:12px}
.signature{width:50%;margin:44px 0 0 auto;padding-top:6px;border-top:1px solid var(--muted);font-size:13px;break-inside:avoid}
footer{margin-top:28px;padding-top:6px;border-top:1px solid var(--rule);color:var(--muted);font-size:12px;overflow-wrap:anywhere}
@media (max-width:600px){main{margin:0;padding:20px 16px}.letterhead,.title{flex-direction:column;gap:4px}.marks{text-align:left}.facts{display:block}.signature{width:100%}}
@page{size:A4;margin:15mm}
@media print{body{background:none;font-size:10pt}main{margin:0;padding:0;max-width:none;box-shadow:none}h2,h3,.heading{break-after:avoid}tr,figure{break-inside:avoid}thead{display:table-header-group}.wide{overflow:visible}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`.replace(/\n/g, '')
