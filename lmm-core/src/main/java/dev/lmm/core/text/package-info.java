/** Text: tokenizers in every layout checkpoints are published with. */
@NullMarked
package dev.lmm.core.text;

import org.jspecify.annotations.NullMarked;
