namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>Tests that promise something within a time: they run one after the other, with the machine to themselves.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}
