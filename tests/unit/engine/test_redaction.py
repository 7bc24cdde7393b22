"""No secret leaves the engine in a text, wherever it came from."""

from __future__ import annotations

from pathlib import Path

from routestudio.engine.service import EngineService

YAML = """\
databases:
  - name: shop
http_endpoints:
  - name: api
    url: https://bob:hunter22@localhost:1/hooks
    encrypted_headers:
      x-tenant: tenant-secret-9
sinks:
  - name: cache
    database: shop
    destination:
      type: redis_string
      host: localhost
      port: 1
      password: literal-password
  - name: hook
    database: shop
    destination:
      type: webhook
      http_endpoint: api
"""


async def test_literal_secrets_of_the_file_are_redacted(tmp_path: Path) -> None:
    (tmp_path / "sequin.yaml").write_text(YAML)
    (tmp_path / ".env").write_text("SHOP_TOKEN=from-env-file\nSHOP_HOST=plain-host\n")
    async with EngineService() as engine:
        snapshot = await engine.open(str(tmp_path))
        text = engine.redact(
            "literal-password hunter22 tenant-secret-9 from-env-file plain-host localhost"
        )
    assert "plain-host localhost" in text
    for secret in ("literal-password", "hunter22", "tenant-secret-9", "from-env-file"):
        assert secret not in text
        assert secret not in str(snapshot)
