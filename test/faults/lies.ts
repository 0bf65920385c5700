const ID = /"id":("[^"]*"|\d+)/;

function frame(json: string): string {
  return `${json.length}#${json}`;
}

/** What an agent says in the place of the truth, one kind of lie after the other. */
export function liesOf(): (truth: Buffer) => Buffer {
  let told = 0;
  const lies: ((truth: string) => string)[] = [
    () => 'HTTP/1.1 200 OK\r\n\r\n',
    () => frame('{"response":{"result":"for nobody"},"isDisposed":true,"id":"nobody"}'),
    (truth) => frame(`{"response":{},"isDisposed":true,"id":${ID.exec(truth)?.[1] ?? '"none"'}}`),
    (truth) => truth.slice(0, truth.length >> 1),
  ];
  return (truth) => {
    const lie = lies[told % lies.length] as (truth: string) => string;
    told += 1;
    return Buffer.from(lie(truth.toString()));
  };
}
