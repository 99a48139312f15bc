/**
 * Picture search: {@link dev.lmm.search.PhotoIndex} keeps the embeddings of a folder's pictures and
 * finds them by a text in any language the model knows, or by a picture.
 */
@NullMarked
package dev.lmm.search;

import org.jspecify.annotations.NullMarked;
