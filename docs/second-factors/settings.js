// Where Latchkey is, and whether it keeps the refresh token in a cookie (JWT_COOKIE=refresh).
export const server = 'http://localhost:8000';
export const cookie = true;
