"""Who reaches whom, among all of them? Every pair is asked at once, and compared with a table."""

import pytest

from pytest_dockconn import Lab, assert_matrix


@pytest.mark.dockconn(requires=["isolation", "container-addresses"])
def test_every_pair(dockconn: Lab) -> None:
    front, back = dockconn.network("front"), dockconn.network("back")
    web = dockconn.server(name="web", networks=[front])
    api = dockconn.server(name="api", networks=[front, back], expose=(8000,))
    db = dockconn.server(name="db", networks=[back], expose=(5432,))

    matrix = dockconn.matrix([web, api, db, dockconn.host], timeout=0.5)

    assert_matrix(  # str(matrix) is such a table: what you see can be pasted
        matrix,
        """
                  web:80  api:8000  db:5432
        web       -       yes       no
        api       yes     -         yes
        db        no      yes       -
        the host  yes     yes       *
        """,
    )
    assert matrix["web", "api:8000"].answered_by == api.id
