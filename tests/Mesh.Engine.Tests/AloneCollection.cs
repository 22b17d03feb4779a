namespace Mesh.Engine.Tests;

/// <summary>Tests that run when no others do.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;
