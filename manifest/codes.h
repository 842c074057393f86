/*
 * codes.h - every diagnostic of the manifest layer: X(name, code, title, help).
 * A code never changes its meaning and is never used again.
 */
#ifndef MANIFEST_CODES_H
#define MANIFEST_CODES_H

#include <stddef.h>

#define CODES(X)                                                               \
	X(FILE_SIZE, "M001", "file too large",                                 \
	  "A manifest file may have at most 4 MiB. Split it.")                 \
	X(NOT_UTF8, "M002", "not UTF-8",                                       \
	  "Manifests are UTF-8 only; UTF-16, Latin-1, overlong forms and "     \
	  "surrogates are refused. Convert the file: iconv -t UTF-8.")         \
	X(BAD_CHAR, "M003", "forbidden character",                             \
	  "NUL, control characters, NEL, line and paragraph separators, "      \
	  "bidirectional controls and zero-width characters can make a file "  \
	  "mean something else than it shows. Remove the character; put "      \
	  "binary content into binaryData.")                                   \
	X(SYNTAX, "M004", "YAML syntax error",                                 \
	  "The rest of the file could not be read.")                           \
	X(DEPTH, "M005", "nested too deeply",                                  \
	  "At most 32 levels; the deepest real manifest known has 15.")        \
	X(NODES, "M006", "document too large",                                 \
	  "At most 20,000 values in a document. Split it.")                    \
	X(SCALAR_SIZE, "M007", "value or key too long",                        \
	  "A value may have 1 MiB, a key 1 KiB.")                              \
	X(DOCUMENTS, "M008", "too many documents",                             \
	  "At most 1,000 documents in a file. Split it.")                      \
	X(DUPLICATE_KEY, "M009", "duplicate key",                              \
	  "The same key stands twice in one object; readers disagree on "      \
	  "which one counts. Delete one.")                                     \
	X(KEY_TYPE, "M010", "key is not a string",                             \
	  "Keys are plain strings. Quote one that YAML would read as a "       \
	  "number, a boolean or null; lists and objects cannot be keys.")      \
	X(TAG, "M011", "YAML tag",                                             \
	  "Tags (!x, !!x) are refused: the type of a field decides how its "   \
	  "value is read. Delete the tag.")                                    \
	X(MERGE_KEY, "M012", "merge key",                                      \
	  "'<<' is not part of YAML 1.2 and hides what a manifest says. "      \
	  "Write the fields out.")                                             \
	X(ALIAS, "M013", "alias without anchor",                               \
	  "An alias (*x) must follow its anchor (&x) in the same document "    \
	  "and must not stand inside it.")                                     \
	X(ALIAS_BUDGET, "M014", "aliases expand to too much",                  \
	  "Aliases may add at most 2,000 values and 1 MiB of text to a "       \
	  "document, from at most 256 anchors. Write the values out.")         \
	X(DIRECTIVE, "M015", "YAML directive",                                 \
	  "%TAG is refused; %YAML may say 1.1 or 1.2.")                        \
	X(LINE_BREAK, "M016", "carriage return alone",                         \
	  "Lines end in LF or CR LF.")                                         \
	X(SET_SIZE, "M017", "set too large",                                   \
	  "At most 50,000 objects and 256 MiB in one repository directory.")   \
	X(KIND_MISSING, "M101", "no apiVersion or kind",                       \
	  "Every document names both, for example apiVersion: apps/v1 and "    \
	  "kind: Deployment. A fragment meant as a patch must be rendered "    \
	  "first.")                                                            \
	X(KIND_UNKNOWN, "M102", "unknown kind",                                \
	  "reconcile does not know this kind. `reconcile explain` lists "      \
	  "those that it does.")                                               \
	X(KIND_UNSUPPORTED, "M103", "kind not supported",                      \
	  "The kind is known and not available here; the message says what "   \
	  "to do instead or which release brings it.")                         \
	X(API_VERSION, "M104", "wrong apiVersion",                             \
	  "Each kind has exactly one accepted apiVersion; old betas must be "  \
	  "converted.")                                                        \
	X(DUPLICATE_OBJECT, "M105", "object defined twice",                    \
	  "Kind, namespace and name identify an object; only one document "    \
	  "may define it.")                                                    \
	X(NOT_OBJECT, "M106", "document is not an object",                     \
	  "A document is an object with apiVersion, kind and metadata.")       \
	X(UNKNOWN_FIELD, "M201", "unknown field",                              \
	  "The kind has no such field. Nothing is ignored in silence: "        \
	  "correct "                                                           \
	  "the name or delete it.")                                            \
	X(NOT_YET, "M202", "known, without effect yet",                        \
	  "Kubernetes knows this; reconcile does not act on it yet and will "  \
	  "not pretend to. The message names the release or a way without "    \
	  "it.")                                                               \
	X(REFUSED, "M203", "not supported",                                    \
	  "Kubernetes knows this field; reconcile will not have it.")          \
	X(DROPPED, "M204", "field written by a server",                        \
	  "Fields such as status, uid or resourceVersion are no part of what " \
	  "is wanted. They are dropped; delete them from the file.")           \
	X(REQUIRED, "M205", "required field missing",                          \
	  "The field has no default.")                                         \
	X(TYPE, "M206", "wrong type",                                          \
	  "The value has another type than the field.")                        \
	X(QUOTE, "M207", "string must be quoted",                              \
	  "The field is a string and YAML reads the bare word as something "   \
	  "else (true, 1.20, yes, 0123, ~). Quote it.")                        \
	X(VALUE, "M208", "value not allowed",                                  \
	  "The field takes one of a fixed list of values.")                    \
	X(RANGE, "M209", "number out of range", "")                            \
	X(FORMAT, "M210", "wrong format", "")                                  \
	X(QUANTITY, "M211", "bad quantity",                                    \
	  "A quantity is a number with one of the suffixes n u m k M G T P E " \
	  "Ki Mi Gi Ti Pi Ei or an exponent: 500m, 0.5, 128Mi, 1e3.")          \
	X(NULL_ITEM, "M212", "null in a list",                                 \
	  "List items cannot be null. A lone '-' is usually a slip; '$patch' " \
	  "fragments must be rendered first.")                                 \
	X(ONE_OF, "M213", "exactly one of several",                            \
	  "The object takes exactly one of the named fields.")                 \
	X(DUPLICATE_ITEM, "M214", "list item given twice", "")                 \
	X(OCTAL, "M215", "number in a doubtful form",                          \
	  "Octal is accepted for file modes only; hexadecimal, binary, "       \
	  "base 60, '+' and '_' never. Write the decimal number.")             \
	X(SIZE, "M216", "too much data",                                       \
	  "A ConfigMap or Secret may hold 1 MiB, annotations 256 KiB; the "    \
	  "patterns of a trust policy must be few enough to be compared.")     \
	X(BASE64, "M217", "not base64",                                        \
	  "data of a Secret and binaryData of a ConfigMap are base64 with "    \
	  "padding; line breaks inside are allowed, other characters not. "    \
	  "Plain text goes into stringData or data.")                          \
	X(LEGACY_ANNOTATION, "M218", "annotation that is a field today",       \
	  "The annotation would change security and has no effect here; use "  \
	  "the field that the message names.")                                 \
	X(HOOK_ANNOTATION, "M219", "ordering annotation not honoured",         \
	  "Hooks and waves of other tools have no effect here.")               \
	X(CONFLICT, "M220", "fields contradict each other", "")                \
	X(SUSPECT, "M221", "probably a slip", "")                              \
	X(NO_EFFECT, "M222", "without effect here", "")                        \
	X(REF_OBJECT, "M301", "referenced object missing",                     \
	  "Everything that is referenced must be in the same commit, or be "   \
	  "marked optional: true.")                                            \
	X(REF_KEY, "M302", "referenced key missing",                           \
	  "The ConfigMap or Secret has no such key.")                          \
	X(REF_NAMESPACE, "M303", "namespace missing",                          \
	  "Add a Namespace object, or use the default namespace.")             \
	X(REF_PORT, "M304", "referenced port missing",                         \
	  "A port name must be declared under containers[].ports.")            \
	X(SELECTOR, "M305", "selector does not match its template",            \
	  "Every pod made from the template must carry the labels of the "     \
	  "selector, or the controller would never find it again.")            \
	X(SELECTOR_EMPTY, "M306", "selector matches nothing",                  \
	  "No pod template of the commit carries these labels.")               \
	X(SELECTOR_OVERLAP, "M307", "selectors overlap",                       \
	  "Two controllers of one namespace select the same pods.")            \
	X(REF_VOLUME, "M308", "volume missing",                                \
	  "Each volumeMounts[].name must be one of spec.volumes[].name.")      \
	X(REF_PERSON, "M309", "person or role missing",                        \
	  "Who is named under people or roles stands in spec.people or "       \
	  "spec.roles of the same trust policy.")

#define CODES_ENUM(name, code, title, help) CODE_##name,
enum code { CODES(CODES_ENUM) CODE_COUNT };
#undef CODES_ENUM

/* "M009" */
const char *codes_id(enum code c);
/* Title and help of an id; false if unknown. */
int codes_find(const char *id, enum code *out);
const char *codes_title(enum code c);
const char *codes_help(enum code c);

#endif
