/**
 * JSON as the checkpoints' files hold it: a small immutable tree, strict, with errors that say
 * where.
 */
@NullMarked
package dev.lmm.core.json;

import org.jspecify.annotations.NullMarked;
