/** What model families and engines are made of. */
module dev.lmm.core {
  requires transitive dev.lmm.api;
  requires static transitive org.jspecify;
  requires java.desktop;
  requires org.slf4j;
  requires ai.djl.tokenizers;
  requires static com.sun.jna;
  requires com.fasterxml.jackson.core;
  requires transitive java.net.http;
  requires jdk.jfr;
  requires jdk.management;

  exports dev.lmm.core.checkpoint;
  exports dev.lmm.core.decode;
  exports dev.lmm.core.decode.grammar;
  exports dev.lmm.core.engine;
  exports dev.lmm.core.engine.reference;
  exports dev.lmm.core.family;
  exports dev.lmm.core.graph;
  exports dev.lmm.core.hub;
  exports dev.lmm.core.json;
  exports dev.lmm.core.quantization;
  exports dev.lmm.core.random;
  exports dev.lmm.core.text;
  exports dev.lmm.core.text.template;
  exports dev.lmm.core.vision;
  exports dev.lmm.core.vision.draw;

  uses dev.lmm.core.engine.Engine;
  uses dev.lmm.core.family.ModelFamily;
  uses dev.lmm.core.hub.BundledModel;

  provides dev.lmm.core.engine.Engine with
      dev.lmm.core.engine.reference.ReferenceEngine;
  provides dev.lmm.spi.ImageDecoder with
      dev.lmm.core.vision.PictureDecoder;
  provides dev.lmm.spi.ImageDrawer with
      dev.lmm.core.vision.draw.PictureDrawer;
  provides dev.lmm.spi.ModelLoader with
      dev.lmm.core.family.CheckpointModelLoader;
  provides dev.lmm.spi.VideoDecoder with
      dev.lmm.core.vision.GifVideo;
  provides dev.lmm.spi.VideoEncoder with
      dev.lmm.core.vision.draw.GifWriter;
}
