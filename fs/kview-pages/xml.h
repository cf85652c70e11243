/* SPDX-License-Identifier: GPL-2.0-only */
/* Text in XML 1.0, as SVG has it. */
#ifndef KVFS_KVIEW_PAGES_XML_H
#define KVFS_KVIEW_PAGES_XML_H

#include <stdio.h>

/*
 * Writes text, which may be any bytes, as a file name may: the result is valid inside an element
 * and inside an attribute in double or single quotes, in a document of UTF-8. Each byte of a
 * control character, line feed and tab included, and of what is no character of UTF-8 that XML
 * allows, becomes \xHH, so a name stays one line. A backslash stays as it is: the result is for
 * people, and cannot be turned back. Errors of out stay with ferror(out).
 */
void xml_put(FILE *out, const char *text);

#endif /* KVFS_KVIEW_PAGES_XML_H */
