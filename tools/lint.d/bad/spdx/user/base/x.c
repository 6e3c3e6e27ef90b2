/* Fixture without a licence line. */
int fixture;
