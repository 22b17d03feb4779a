using System.Collections.Immutable;

namespace Mesh.Gateway.Admin.Shapes;

/// <summary>One page of a list.</summary>
/// <typeparam name="T">Kind of its items.</typeparam>
/// <param name="Items">The page.</param>
/// <param name="Total">Items that match, on all pages.</param>
/// <param name="Offset">Items before the page.</param>
/// <param name="Limit">Most items of a page.</param>
internal sealed record ListShape<T>(ImmutableArray<T> Items, int Total, int Offset, int Limit);
