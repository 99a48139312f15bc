package dev.lmm.spi;

/** Placeholder shape, completed with the facade. */
public interface ModelLoader {}
