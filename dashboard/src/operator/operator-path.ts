/** The API of whoever runs the installation. */
export const OPERATOR = '/operator/v1'
