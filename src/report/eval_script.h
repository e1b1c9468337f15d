// What the evaluation page does with a reader: tables that sort, items that filter. Both work on
// what stands in the page; without script the page shows all but the items.
#pragma once

#include "report/markup.h"

namespace helio::report {

inline constexpr char kEvalStyleText[] = R"css(
.filters{display:flex;flex-wrap:wrap;gap:6px 12px;align-items:center;margin-bottom:10px;font-size:13.5px}
.filters select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--rule);border-radius:6px;padding:3px 8px;max-width:22em}
th button.sort{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;text-align:inherit}
th[aria-sort] button.sort::after{content:" ▴";color:var(--sun)}th[aria-sort=descending] button.sort::after{content:" ▾"}
.item td,.item th{vertical-align:top;overflow-wrap:anywhere;white-space:pre-wrap}.item td.right{color:var(--good)}.item td.wrong{color:var(--bad)}
.marks{margin-left:auto;letter-spacing:.2em}
)css";
inline constexpr Trusted kEvalStyle{kEvalStyleText};

// A view can be linked to: ?task=…&right=…&wrong=…, ?sort=COLUMN (a task, or "model").
inline constexpr char kEvalScriptText[] = R"js((function(){
'use strict';
var asked=new URLSearchParams(location.search);
// What did not run is a dash, with the number of its footnote.
function number(cell){if(!cell||cell.textContent.charAt(0)==='—')return NaN;var m=/-?\d[\d,]*(\.\d+)?/.exec(cell.textContent);return m?parseFloat(m[0].replace(/,/g,'')):NaN}
function sortable(table){
  var heads=table.tHead.rows[0].cells,body=table.tBodies[0];
  Array.prototype.forEach.call(heads,function(head,column){
    var button=document.createElement('button');
    button.type='button';button.className='sort';
    while(head.firstChild)button.appendChild(head.firstChild);
    head.appendChild(button);
    button.addEventListener('click',function(){
      var down=head.getAttribute('aria-sort')!=='descending'&&column>0||column===0&&head.getAttribute('aria-sort')==='ascending';
      Array.prototype.forEach.call(heads,function(h){h.removeAttribute('aria-sort')});
      head.setAttribute('aria-sort',down?'descending':'ascending');
      var rows=Array.prototype.filter.call(body.rows,function(r){return r.className!=='quiet'});
      rows.sort(function(a,b){
        var x=a.cells[column],y=b.cells[column];
        if(column===0){var order=x.textContent.localeCompare(y.textContent);return down?-order:order}
        var p=number(x),q=number(y);
        if(isNaN(p)||isNaN(q))return isNaN(p)?(isNaN(q)?0:1):-1;
        return down?q-p:p-q});
      var quiet=body.querySelector('tr.quiet');
      rows.forEach(function(r){body.insertBefore(r,quiet)})});
    if(asked.get('sort')&&head.textContent.indexOf(asked.get('sort'))===0)button.click()})}
Array.prototype.forEach.call(document.querySelectorAll('table.scores'),sortable);

var holder=document.getElementById('items-data');
if(!holder)return;
var data=JSON.parse(holder.textContent),models=data.models,list=document.getElementById('items-list'),counter=document.getElementById('items-count');
var most=100,picks={};
function make(tag,css,text){var e=document.createElement(tag);if(css)e.className=css;if(text!==undefined)e.textContent=text;return e}
function mark(ok){return ok===true?'✓':ok===false?'✗':'–'}
function value(v){return typeof v==='string'?v:Array.isArray(v)?v.map(function(x){return typeof x==='number'?+x.toFixed(4):value(x)}).join('\n'):typeof v==='number'?String(+v.toFixed(4)):JSON.stringify(v)}
function fill(box,item){
  if(box.childNodes.length>1)return;
  var names=[];
  item.answers.forEach(function(a){if(a)Object.keys(a).forEach(function(k){if(names.indexOf(k)<0)names.push(k)})});
  var wrap=make('div','scroll'),table=make('table','item'),row=table.createTHead().insertRow();
  row.appendChild(make('th','',''));
  models.forEach(function(m){var h=make('th','mono',m);h.scope='col';row.appendChild(h)});
  var body=table.createTBody();
  names.forEach(function(name){
    var line=body.insertRow(),h=make('th','',name);h.scope='row';line.appendChild(h);
    item.answers.forEach(function(a,i){
      var seen=a&&name in a;
      line.appendChild(make('td',name==='predicted'||name==='correct'?item.correct[i]===true?'right':item.correct[i]===false?'wrong':'':'',seen?value(a[name]):'—'))})});
  wrap.appendChild(table);box.appendChild(wrap)}
function show(){
  var task=picks.task.selectedIndex>0?picks.task.value:'',right=picks.right.selectedIndex-1,wrong=picks.wrong.selectedIndex-1;
  var found=data.items.filter(function(item){
    return(!task||item.task===task)&&(right<0||item.correct[right]===true)&&(wrong<0||item.correct[wrong]===false)});
  list.textContent='';
  found.slice(0,most).forEach(function(item){
    var box=make('details','reason'),head=make('summary');
    head.appendChild(make('span','strong',item.id));
    head.appendChild(make('code','',item.task));
    var marks=make('span','marks',item.correct.map(mark).join(''));
    marks.title=models.map(function(m,i){return m+' '+mark(item.correct[i])}).join('\n');
    head.appendChild(marks);box.appendChild(head);
    box.addEventListener('toggle',function(){if(box.open)fill(box,item)});
    list.appendChild(box)});
  counter.textContent=Math.min(found.length,most)+' / '+found.length}
['task','right','wrong'].forEach(function(name){
  var pick=picks[name]=document.getElementById('pick-'+name);
  if(asked.get(name))pick.value=asked.get(name);
  pick.addEventListener('change',show)});
show();
if(asked.get('open')!==null&&list.firstChild){list.firstChild.open=true;fill(list.firstChild,data.items.filter(function(i){return i.id===list.firstChild.querySelector('.strong').textContent&&i.task===list.firstChild.querySelector('code').textContent})[0])}
})())js";
inline constexpr Trusted kEvalScript{kEvalScriptText};

}  // namespace helio::report
