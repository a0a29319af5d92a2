// Where Latchkey is, and whether it keeps the refresh token in a cookie (JWT_COOKIE=refresh).
export const server = 'http://127.0.0.1:8000';
export const cookie = false;
