// Takes the pictures of the README from a real run. Arguments: folder for the pictures. Environment as for e2e/real.mjs, with
// RSPROF_TARGET_* naming picture/search.rs and its program.
import path from 'node:path';
import { openBrowser } from '../lib/browser.mjs';
import { CodeServer } from '../lib/code_server.mjs';
import { RealProject } from '../lib/project.mjs';
import { Workbench } from '../lib/workbench.mjs';

const { CODE_SERVER, VSIX, RSPROF_TARGET_BIN, RSPROF_TARGET_SRC } = process.env;
const out = path.resolve(process.argv[2]);

const project = new RealProject(RSPROF_TARGET_BIN, RSPROF_TARGET_SRC);
project.start();
const server = await CodeServer.start({ prefix: CODE_SERVER, vsix: VSIX, user: {
    'rsprof.sourceMap': project.sourceMap,
    'rsprof.annotations.column': 76,
    'workbench.colorTheme': 'Dark Modern',
    'breadcrumbs.enabled': false,
    'editor.fontSize': 13,
    'editor.guides.indentation': false,
    'editor.stickyScroll.enabled': false,
    'window.commandCenter': false,
} });
const browser = await openBrowser({ width: 1240, height: 800, scale: 1.25 });
const bench = new Workbench(browser.page, out);
try {
    await bench.open(server.url(project.folder));
    await bench.openFile(project.source);
    await bench.command('rsprof: Attach to Process');
    await bench.row(`pid ${project.pid}`).waitFor();
    await bench.shot('picker');
    await bench.pick(`pid ${project.pid}`);
    await bench.command('rsprof: Show Hot Lines');
    await bench.page.waitForTimeout(15_000);
    await bench.restPointer();
    await bench.shot('annotated');
    await bench.hoverOver('self.words.entry');
    await bench.shot('hover');
} finally {
    await browser.close();
    await server.stop();
    project.remove();
}
