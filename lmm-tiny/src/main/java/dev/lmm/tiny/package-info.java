/**
 * Small trained models of every family, loaded by name ({@code tiny-clip}, {@code tiny-siglip2},
 * {@code tiny-sd}, {@code tiny-qwen2.5-vl}, {@code tiny-blip2}, {@code tiny-blip2-itm}), and
 * pictures to try them on. Made for demonstrations and for the tests of applications.
 */
@NullMarked
package dev.lmm.tiny;

import org.jspecify.annotations.NullMarked;
