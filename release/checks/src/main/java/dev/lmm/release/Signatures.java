package dev.lmm.release;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.openpgp.PGPException;
import org.bouncycastle.openpgp.PGPPublicKey;
import org.bouncycastle.openpgp.PGPPublicKeyRingCollection;
import org.bouncycastle.openpgp.PGPSignature;
import org.bouncycastle.openpgp.PGPSignatureList;
import org.bouncycastle.openpgp.PGPUtil;
import org.bouncycastle.openpgp.bc.BcPGPObjectFactory;
import org.bouncycastle.openpgp.operator.bc.BcKeyFingerprintCalculator;
import org.bouncycastle.openpgp.operator.bc.BcPGPContentVerifierBuilderProvider;

/** That every file is signed, by the key. */
final class Signatures {
  private Signatures() {}

  static List<String> signatures(Bundle bundle, Path publicKey) throws IOException {
    PGPPublicKeyRingCollection keys = keys(publicKey);
    List<String> faults = new ArrayList<>();
    for (String file : bundle.files()) {
      if (file.endsWith(".asc")) {
        if (!bundle.has(file.substring(0, file.length() - ".asc".length()))) {
          faults.add(file + " is the signature of nothing");
        }
      } else if (!FileRules.isChecksum(file)) {
        if (!bundle.has(file + ".asc")) {
          faults.add(file + " is not signed");
        } else if (!verifies(bundle.bytes(file), bundle.bytes(file + ".asc"), keys)) {
          faults.add(file + ".asc is not the key's signature of it");
        }
      }
    }
    return faults;
  }

  private static PGPPublicKeyRingCollection keys(Path publicKey) throws IOException {
    try (InputStream file = Files.newInputStream(publicKey)) {
      return new PGPPublicKeyRingCollection(
          PGPUtil.getDecoderStream(file), new BcKeyFingerprintCalculator());
    } catch (PGPException e) {
      throw new IOException(publicKey + ": " + e.getMessage(), e);
    }
  }

  private static boolean verifies(byte[] bytes, byte[] armored, PGPPublicKeyRingCollection keys)
      throws IOException {
    try {
      Object first =
          new BcPGPObjectFactory(PGPUtil.getDecoderStream(new ByteArrayInputStream(armored)))
              .nextObject();
      if (!(first instanceof PGPSignatureList list) || list.isEmpty()) {
        return false;
      }
      PGPSignature signature = list.get(0);
      PGPPublicKey key = keys.getPublicKey(signature.getKeyID());
      if (key == null) {
        return false;
      }
      signature.init(new BcPGPContentVerifierBuilderProvider(), key);
      signature.update(bytes);
      return signature.verify();
    } catch (PGPException e) {
      return false;
    }
  }
}
